// One session in the list.

import { el, say, set, show } from "/page/dom.js";
import { age, reason, repositoryName, used, verdict } from "/page/format.js";
import { line } from "/page/text.js";

const GOOD_ENDS = new Set(["finished", "interrupted", "rejected"]);

/** Return which group a session belongs to: `needs`, `running` or `done`. */
export function groupOf({ view }) {
  if (view.phase === "asking") return "needs";
  if (view.phase === "waiting") return view.last && !GOOD_ENDS.has(view.last.reason) ? "needs" : "done";
  return view.phase === "closed" ? "done" : "running";
}

export class Row {
  constructor(session) {
    this.title = el("bdi.title");
    this.where = el("bdi.where");
    this.phase = el("span.chip");
    this.doing = el("span.doing");
    this.verdict = el("span.chip");
    this.cost = el("span.cost");
    this.age = el("time.age");
    this.link = el("a.row", { href: `/s/${encodeURIComponent(session.id)}` },
      el("span.what", {}, this.title, this.where), el("span.state", {}, this.phase, this.doing),
      el("span.numbers", {}, this.verdict, this.cost, this.age));
    this.element = el("li", {}, this.link);
    this.update({ session });
  }

  update({ session }) {
    const { view } = session;
    say(this.title, line(session.title, 80) || session.id);
    say(this.where, `${repositoryName(line(session.repository.url, 2_000))} · ${line(session.branch, 100)}`);
    set(this.link, "data-phase", view.phase);
    const word = phaseWord(view);
    say(this.phase, word);
    show(this.phase, Boolean(word));
    say(this.doing, doing(view));
    this.showVerdict(view.verdict);
    say(this.cost, used(view.usage));
    say(this.age, age(session.created_at));
    set(this.age, "datetime", session.created_at);
  }

  showVerdict(given) {
    show(this.verdict, Boolean(given));
    if (!given) return;
    const [word, tone] = verdict(given.verdict);
    say(this.verdict, word.split(":")[0]);
    set(this.verdict, "data-tone", tone || null);
  }
}

function phaseWord(view) {
  if (view.phase === "working") return `step ${view.step}`;
  if (view.phase !== "waiting") return view.phase;
  if (!view.pull_request) return "";
  return view.pull_request.draft ? "draft" : "proposed";
}

function doing(view) {
  if (view.asked) return line(view.asked.text, 120);
  if (view.phase !== "waiting" && view.phase !== "closed") return line(view.activity, 120);
  return view.last ? reason(view.last.reason) : "";
}
