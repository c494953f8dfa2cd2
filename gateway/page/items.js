// Draws the items of a conversation, one small class or function for each kind.

import { CommandCard } from "/page/command.js";
import { chip, el, fill, say, set, show } from "/page/dom.js";
import { bytes, clock, count, duration, reason, short } from "/page/format.js";
import { markdown } from "/page/markdown.js";
import { judgement } from "/page/notes.js";
import { line, visible } from "/page/text.js";

/** Commands and uses of files tell of themselves. */
const SHOWN_CALLS = new Set(["finish", "ask", "run_checks"]);
const MODES = { queue: "", steer: "steered", interrupt: "interrupting" };

/** Make the part of an item: `{element, update(item)}`. */
export function part(session, item) {
  if (item.kind === "command") return versioned(new CommandCard(session, item));
  if (item.kind === "step") return versioned(new StepPart(item));
  const element = STILL[item.kind](item);
  return { element, update: redrawn(element, item) };
}

/** Call a part's own `update` only when its item has changed. */
function versioned(made) {
  let drawn = made.item?.version ?? -1;
  return {
    element: made.element,
    card: made,
    close: () => made.close?.(),
    update(item) {
      if (item.version === drawn) return;
      drawn = item.version;
      made.update(item);
    },
  };
}

/** Parts that seldom change are made anew when they do. */
function redrawn(element, first) {
  let drawn = first.version;
  return (item) => {
    if (item.version === drawn) return;
    drawn = item.version;
    const fresh = STILL[item.kind](item);
    element.className = fresh.className;
    element.replaceChildren(...fresh.childNodes);
  };
}

const STILL = {
  prompt(item) {
    const isCut = item.size === null ? item.text.length >= 200 : item.size > new TextEncoder().encode(item.text).length;
    const state = item.isWaiting ? "waiting" : item.state === "arrived" ? "" : item.state;
    const marks = [MODES[item.mode], state].filter(Boolean).join(", ");
    const more = item.size ? `${bytes(item.size)} in all` : "and more";
    const cut = isCut && !item.isWhole ? el("span.left-out", {}, ` … ${more}`) : null;
    const refusal = item.refusal ? `The session did not take it: ${line(item.refusal)}. Send it again later.` : null;
    return el(`div.prompt.${item.refusal ? "refused" : item.state}`, {},
      head("You", item.at, marks),
      el("p.prompt-text", {}, visible(item.text), cut),
      refusal ? el("p.refusal", {}, refusal) : null);
  },
  note(item) {
    const more = item.more.map((each) => el("li", {}, each));
    return el(["div", "note", item.tone].filter(Boolean).join("."), {}, moment(item.at),
      el("div", {}, el("span", {}, item.text), more.length ? el("ul", {}, ...more) : null));
  },
  judged(item) {
    const tone = item.counts.new + item.counts.changed + item.counts.persisting ? "bad" : "good";
    const unrunnable = item.unrunnable.map((name) => `could not be run: ${line(name)}`);
    const lines = [...unrunnable, ...item.shown.map((each) => line(each, 240))];
    return el(`div.card.judged.${tone}`, {}, el("p", {}, el("strong", {}, judgement(item))),
      lines.length ? el("ul.findings", {}, ...lines.map((each) => el("li", {}, el("code", {}, each)))) : null);
  },
  proposed(item) {
    const { proposal } = item;
    return el("div.card.proposed", {},
      el("p", {}, el("strong", {}, `Proposed: ${line(proposal.title, 200)}`)),
      el("p.facts", {}, `${count(proposal.files_changed, "file")}, +${proposal.added} −${proposal.removed}`,
        `, revision ${proposal.revision}`));
  },
  failed(item) {
    return el("div.card.bad", {},
      el("p", {}, el("strong", {}, `${line(item.activity)} failed`), " ", el("code", {}, line(item.failure))),
      el("p", {}, visible(item.message)));
  },
  end(item) {
    const tone = item.reason === "finished" ? "good" : item.reason === "interrupted" ? "" : "bad";
    const why = reason(item.reason);
    // A summary that says why says it better.
    const isNews = item.reason !== "finished" && item.summary && !item.summary.startsWith(why);
    const words = item.summary.startsWith(why) && item.reason !== "finished" ? visible(item.summary) : why;
    return el(["div", "end", tone].filter(Boolean).join("."), {},
      el("p", {}, el("strong", {}, `Turn ${item.turn} ended: `), words),
      isNews ? el("p", {}, visible(item.summary)) : null);
  },
};

/** A reply of the model: its words, live while it writes them, and what it asks for. */
class StepPart {
  constructor(item) {
    this.item = item;
    this.facts = el("span.facts");
    this.text = el("div.md");
    this.calls = el("ul.calls");
    this.thinking = el("p.thinking", {}, "thinking …");
    this.element = el("div.step", {}, el("div.item-head", {}, el("span.who", {}, `Step ${item.step}`), this.facts),
      this.thinking, this.text, this.calls);
    this.update(item);
  }

  update(item) {
    const text = item.isTaken ? item.text : item.live;
    fill(this.text, markdown(text));
    show(this.text, Boolean(text));
    show(this.thinking, !item.isTaken && !text);
    set(this.element, "data-live", !item.isTaken);
    say(this.facts, item.isTaken ? factsOf(item) : line(item.model, 60));
    const calls = item.isTaken ? callsOf(item) : [];
    fill(this.calls, calls);
    show(this.calls, calls.length > 0);
  }
}

function callsOf({ calls, refused }) {
  return [...calls.filter((call) => SHOWN_CALLS.has(call.name)).map(callPart), ...refused.map(refusedPart)];
}

function factsOf({ usage, seconds }) {
  return `${duration(seconds)} · ${short(usage.input_tokens)} in, ${short(usage.output_tokens)} out`;
}

function callPart(call) {
  const words = call.name === "finish" || call.name === "ask"
    ? el("div.md", {}, markdown(call.summary)) : el("code", {}, line(call.summary, 300));
  return el(`li.call.${call.name}`, {}, el("span.tool", {}, call.name.replace("_", " ")), words);
}

function refusedPart(call) {
  return el("li.call.bad", {}, el("span.tool", {}, `refused ${line(call.name, 60)}`), el("span", {}, visible(call.reason)));
}

function head(who, at, marks) {
  return el("div.item-head", {}, el("span.who", {}, who), marks ? chip("", marks) : null, moment(at));
}

function moment(at) {
  return at ? el("time", { datetime: at }, clock(at)) : null;
}
