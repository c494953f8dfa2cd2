// The head of a session: title, phases, what it uses, and the way to stop it.

import { call, persist } from "/page/api.js";
import { button, el, say, set, show } from "/page/dom.js";
import { duration, money, repositoryName, short } from "/page/format.js";
import { untilForgotten } from "/page/memory.js";
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
    /** What was asked for, `interrupt` or `close`, until it is done or its failure is of no interest. */
    this.wanted = "";
    this.isFailed = false;
  }

  update(record) {
    const { resource, view, isBroken } = record;
    const { settings } = record.story;
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
    say(this.now, isBroken ? "It broke. Only a new session can go on." : nowLine(view));
    this.meters(view, budget, resource, settings);
    this.clock = record.clock();
    this.tick();
    this.turn = view.turn;
    this.buttons(phase);
  }

  /** Take a session as a new connection tells it; what failed over the one before says nothing more. */
  greet({ trouble }) {
    this.setTrouble(trouble);
    if (this.isFailed) this.want("");
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
    this.facts.steps.put(stepsOf(view.step, budget.steps));
    const tokens = usage.input_tokens + usage.output_tokens;
    this.facts.tokens.put(budget.tokens ? `${short(tokens)} of ${short(budget.tokens)}` : short(tokens));
    const cost = usage.cost_usd === null ? "unknown" : money(usage.cost_usd);
    this.facts.cost.put(budget.cost_usd ? `${cost} of ${money(budget.cost_usd)}` : cost);
  }

  buttons(phase) {
    this.phase = phase;
    if (this.wanted && this.isOver()) this.want("");
    const pending = this.isFailed ? "" : this.wanted;
    show(this.stop, !IDLE.has(phase));
    show(this.close, phase !== "closed");
    say(this.stop, pending === "interrupt" ? "Stopping …" : "Stop");
    say(this.close, pending === "close" ? "Closing …" : "Close session");
    this.stop.disabled = this.close.disabled = Boolean(pending);
  }

  /** Tell whether nothing is left that what was asked for could end. */
  isOver() {
    if (this.phase === "closed") return true;
    // With a prompt that waits, the next turn begins at once.
    return this.wanted === "interrupt" && (this.phase === "waiting" || this.turn !== this.wantedIn);
  }

  want(how) {
    Object.assign(this, { wanted: how, wantedIn: this.turn, isFailed: false });
    this.problem.set(null);
  }

  /** Ask to `interrupt` what runs or to `close` the session. */
  async end(how) {
    this.want(how);
    this.buttons(this.phase);
    const request = ["POST", `${this.path}/${how}`, { reason: "asked for on the page" }];
    const onPutOff = (problem) => this.fail(how, "Not closed yet", problem);
    try {
      // A close may be repeated, a stop could stop what comes after.
      if (how === "close") await persist(...request, { onPutOff, signal: untilForgotten() });
      else await call(...request);
      if (this.wanted === how) this.problem.set(null);
    } catch (problem) {
      if (this.wanted === how) this.isFailed = true;
      this.fail(how, how === "close" ? "Not closed" : "Not stopped", problem);
      this.buttons(this.phase);
    }
  }

  /** Say what was not done, unless it is of no interest any more. */
  fail(how, what, problem) {
    if (this.wanted === how) this.problem.set({ ...problem, title: `${what}: ${problem.title}` });
  }
}

function nowLine(view) {
  if (view.asked) return "A person must answer, see below.";
  if (view.phase === "waiting") return "Waits for a prompt.";
  if (view.phase === "closed") return "Closed. A prompt reopens it.";
  return line(view.activity, 200);
}

/** A budget that a person has added to is no total. */
function stepsOf(step, most) {
  if (step === 0) return `at most ${most}`;
  return step <= most ? `${step} of ${most}` : `${step} (more than ${most} are allowed)`;
}

function fact(name) {
  const value = el("dd");
  const element = el("div", {}, el("dt", {}, name), value);
  return { element, put: (text) => say(value, text) };
}
