// The head of a session: title, phases, what it uses, and the way to stop it.

import { call, persist } from "/page/api.js";
import { button, el, say, set, show } from "/page/dom.js";
import { duration, money, repositoryName, short } from "/page/format.js";
import { problemPlace } from "/page/problem.js";
import { line } from "/page/text.js";

const TRACK = Object.entries({
  preparing: "Prepare", working: "Work", checking: "Check", proposing: "Propose", done: "Done",
});
const ASKED_IN = { pull_request: "proposing", verdict: "checking" };
const IDLE = new Set(["waiting", "closed"]);

export class Header {
  constructor(session) {
    this.path = `/sessions/${session}`;
    this.title = el("h1", {}, "…");
    this.where = el("p.where");
    this.track = TRACK.map(([phase, word]) => el("li", { "data-phase": phase }, word));
    this.now = el("p.now");
    this.trouble = el("p.trouble", { hidden: true });
    this.facts = {
      model: fact("Model"), steps: fact("Steps"), tokens: fact("Tokens"), cost: fact("Cost"), time: fact("Time"),
    };
    this.stop = button("button.danger", "Stop", () => this.end("interrupt"), { hidden: true });
    this.close = button("button", "Close session", () => this.end("close"));
    this.problem = problemPlace();
    this.element = el("header.session-head", {},
      el("div.head-line", {}, el("div.head-title", {}, this.title, this.where),
        el("div.actions", {}, this.close, this.stop)),
      el("div.head-line", {}, el("ol.track", { "aria-label": "Phases" }, ...this.track),
        el("dl.meters", {}, ...Object.values(this.facts).map((each) => each.element))),
      this.now, this.trouble, this.problem.element);
    this.stopping = "";
  }

  /** `clock` has `began` and `ended` of the turn, in ms since the epoch, or null. */
  update(resource, view, settings, clock) {
    const budget = settings.budget ?? resource.budget;
    const phase = view.phase;
    say(this.title, line(resource.title, 80));
    const { url, base } = resource.repository;
    say(this.where, `${repositoryName(line(url, 2_000))} · ${line(base, 100)} → ${line(resource.branch, 100)}`);
    set(this.where, "title", line(url, 2_000));
    const step = IDLE.has(phase) ? "done" : view.asked ? ASKED_IN[view.asked.kind] ?? "working" : phase;
    for (const item of this.track) {
      set(item, "aria-current", item.dataset.phase === step ? "step" : null);
    }
    set(this.element, "data-phase", phase);
    say(this.now, nowLine(view));
    this.meters(view, budget, resource, settings);
    this.clock = clock;
    this.tick();
    this.turn = view.turn;
    this.buttons(phase);
  }

  /** Tell why what runs is tried again; empty when it is not. */
  setTrouble(text) {
    show(this.trouble, Boolean(text));
    say(this.trouble, text ? `Trying again: ${line(text)}` : "");
  }

  /** Show the time that passes; called once a second. */
  tick() {
    const { began, ended } = this.clock ?? {};
    this.facts.time.put(began ? duration(((ended ?? Date.now()) - began) / 1_000) : "–");
  }

  meters(view, budget, resource, settings) {
    const { usage } = view;
    this.facts.model.put(line(view.model || settings.model || resource.model, 60));
    this.facts.steps.put(view.step ? `${view.step} of ${budget.steps}` : `at most ${budget.steps}`);
    const tokens = usage.input_tokens + usage.output_tokens;
    this.facts.tokens.put(budget.tokens ? `${short(tokens)} of ${short(budget.tokens)}` : short(tokens));
    const cost = usage.cost_usd === null ? "unknown" : money(usage.cost_usd);
    this.facts.cost.put(budget.cost_usd ? `${cost} of ${money(budget.cost_usd)}` : cost);
  }

  buttons(phase) {
    // With a prompt that waits, the next turn begins at once.
    if (this.stopping && (IDLE.has(phase) || (this.stopping === "interrupt" && this.turn !== this.stoppedTurn))) {
      this.stopping = "";
      this.problem.set(null);
    }
    show(this.stop, !IDLE.has(phase));
    show(this.close, phase !== "closed");
    say(this.stop, this.stopping === "interrupt" ? "Stopping …" : "Stop");
    say(this.close, this.stopping === "close" ? "Closing …" : "Close session");
    this.stop.disabled = this.close.disabled = Boolean(this.stopping);
    this.phase = phase;
  }

  /** Ask to `interrupt` what runs or to `close` the session. */
  async end(how) {
    this.stopping = how;
    this.stoppedTurn = this.turn;
    this.problem.set(null);
    this.buttons(this.phase);
    try {
      // A close may be repeated, a stop could stop what comes after.
      const ask = how === "close" ? persist : call;
      await ask("POST", `${this.path}/${how}`, { reason: "asked for on the page" });
    } catch (problem) {
      this.stopping = "";
      this.problem.set(problem);
      this.buttons(this.phase);
    }
  }
}

function nowLine(view) {
  if (view.asked) return "A person must answer, see below.";
  if (view.phase === "waiting") return "Waits for a prompt.";
  if (view.phase === "closed") return "Closed. A prompt reopens it.";
  return line(view.activity, 200);
}

function fact(name) {
  const value = el("dd");
  const element = el("div", {}, el("dt", {}, name), value);
  return { element, put: (text) => say(value, text) };
}
