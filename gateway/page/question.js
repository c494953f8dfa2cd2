// What the session asks a person, shown whole, and the answer: it fits exactly this question.

import { bytesOf, persist, persistently } from "/page/api.js";
import { shownDiff } from "/page/diff.js";
import { button, el, fill, say, scrolled, show } from "/page/dom.js";
import { markdown } from "/page/markdown.js";
import { recall, remember, untilForgotten } from "/page/memory.js";
import { pause } from "/page/pausing.js";
import { problemPlace } from "/page/problem.js";
import { visible } from "/page/text.js";

const HEADINGS = {
  question: "The model asks",
  command: "May this command be run?",
  pull_request: "May this be proposed?",
  budget: "The budget is used up: may it use as much again?",
  verdict: "The checks stay red: propose it all the same?",
};

const ABOUT_FILES = new Set(["pull_request", "verdict"]);

/** A click that was meant for what stood here before decides nothing. */
const SETTLING_MS = 700;
const STALE_MS = 1_000;

export class QuestionPlace {
  constructor(session) {
    this.path = `/sessions/${session}`;
    /** What is shown, and what the session asks: the same, but while somebody writes. */
    this.asked = this.latest = null;
    this.element = el("section.question", { "aria-label": "Question", hidden: true });
  }

  /** Show what is asked; null when nothing is. A field that somebody writes in stays until it is left. */
  update(asked) {
    this.latest = asked;
    if (asked?.id === this.asked?.id) return;
    if (this.asked !== null && document.activeElement === this.reason) this.freeze();
    else this.turnTo(asked);
  }

  close() {
    this.isClosed = true;
    this.loading?.abort();
    clearTimeout(this.timer);
  }

  turnTo(asked) {
    this.loading?.abort();
    clearTimeout(this.timer);
    this.asked = asked;
    show(this.element, asked !== null);
    if (asked === null) return fill(this.element);
    this.draw(asked);
    Object.assign(this, { isSettling: true, isSending: false, isSeen: asked.kind === "question" });
    this.timer = setTimeout(() => this.change({ isSettling: false }), SETTLING_MS);
    this.change({});
    this.loading = new AbortController();
    this.load(asked, this.loading.signal);
  }

  /** Keep what is being written, and its keys, when the question is gone. */
  freeze() {
    if (this.reason.readOnly) return;
    this.loading.abort();
    this.reason.readOnly = true;
    const detail = "What you wrote stays until you leave the field.";
    this.problem.set({ title: "This question is no longer open", detail });
    this.change({});
  }

  left() {
    if (this.isClosed || document.activeElement === this.reason) return;
    if (this.reason.readOnly) this.turnTo(this.latest);
  }

  draw(asked) {
    const isQuestion = asked.kind === "question";
    this.problem = problemPlace();
    this.words = el("div.md", {}, markdown(asked.text));
    this.subject = scrolled("pre.subject", "What exactly is asked about", { hidden: true });
    this.files = el("div.question-files");
    this.reason = el("textarea", {
      id: "answer", rows: 1, maxlength: 2_000,
      on: { input: () => remember(this.draft, this.reason.value || null), blur: () => this.left() },
    });
    this.reason.value = recall(this.draft, "");
    if (asked.kind === "command") this.showSubject(asked.subject);
    this.progress = el("p.hint", { hidden: isQuestion }, "Getting all of it …");
    this.state = el("span.hint");
    this.approve = this.button(isQuestion ? "Answer" : "Approve", "primary", true);
    const choices = [isQuestion ? null : this.button("Reject", "danger", false), this.approve].filter(Boolean);
    this.actions = el("div.actions", {}, this.state, ...choices);
    const options = asked.options.map((option) => button("button", visible(option), () => this.decide(true, option)));
    this.buttons = [...choices, ...options];
    fill(this.element,
      el("div.question-head", {}, el("h2", {}, HEADINGS[asked.kind] ?? "The session asks"),
        el("code.question-id", {}, `question ${asked.id}`)),
      el("div.question-body", {}, this.words, this.subject, this.files, this.progress),
      options.length ? el("div.options", { role: "group", "aria-label": "Answers to choose from" }, ...options) : null,
      el("label", { for: "answer" }, isQuestion ? "Your answer" : "Reason, which the model reads (optional)"), this.reason,
      this.actions, this.problem.element);
  }

  get draft() {
    return `answer.${this.asked.id}`;
  }

  /** Get all of it, however long that takes: the view has only the beginning. */
  async load(asked, signal) {
    const onPutOff = () => say(this.progress, "Getting all of it; the gateway does not answer. Trying again …");
    try {
      const question = await this.whole(asked, { signal, onPutOff });
      if (signal.aborted) return;
      if (asked.kind === "command") this.showSubject(question.whole || asked.subject);
      else if (question.whole) fill(this.words, markdown(question.whole));
      if (!question.diff && ABOUT_FILES.has(asked.kind)) fill(this.files, el("p.hint", {}, "No diff of the work was kept."));
      const rest = question.diff ? await this.loadDiff(asked, { signal, onPutOff }) : null;
      if (signal.aborted) return;
      if (rest === null) return this.see();
      say(this.progress, "It can be approved here once you have downloaded the whole diff.");
      rest.addEventListener("click", () => this.see(), { signal });
    } catch (problem) {
      if (!signal.aborted) this.fail(problem, asked, signal);
    }
  }

  /** Return the question that is open, once it is this one. */
  async whole(asked, { signal, onPutOff }) {
    while (!signal.aborted) {
      try {
        const question = await persist("GET", `${this.path}/question`, undefined, { signal, onPutOff });
        if (question?.asked.id === asked.id) return question;
      } catch (problem) {
        if (problem.code !== "question_not_open") throw problem;
      }
      await pause(STALE_MS, signal);
    }
    return null;
  }

  /** Show the diff as far as it fits; returns the link to all of it, null when all is shown. */
  async loadDiff(asked, { signal, onPutOff }) {
    const address = `${this.path}/question/diff?question=${asked.id}`;
    const diff = await persistently(() => bytesOf(address, { signal }), { signal, onPutOff });
    if (signal.aborted) return null;
    const { element, link } = shownDiff(diff, `/api/v1${address}`);
    fill(this.files, element);
    return link;
  }

  /** Nothing of the question is unknown any more. */
  see() {
    show(this.progress, false);
    this.change({ isSeen: true });
  }

  fail(problem, asked, signal) {
    const again = () => {
      this.problem.set(null);
      say(this.progress, "Getting all of it …");
      this.load(asked, signal);
    };
    const isQuestion = asked.kind === "question";
    say(this.progress, isQuestion ? "" : "It cannot be approved here before all of it is shown.");
    this.problem.set(problem, button("button", "Try again", again));
  }

  showSubject(text) {
    say(this.subject, visible(text));
    show(this.subject, Boolean(text));
  }

  button(text, kind, approved) {
    return button(`button.${kind}`, text, () => this.decide(approved, this.reason.value.trim()));
  }

  async decide(approved, text) {
    const { asked, problem, state } = this;
    if (asked.kind === "question" && !text) return this.reason.focus();
    problem.set(null);
    this.change({ isSending: true });
    say(state, "sending …");
    const signal = untilForgotten();
    try {
      const onPutOff = () => say(state, "sending, again and again …");
      await persist("POST", `${this.path}/decisions`, { question: asked.id, approved, text }, { onPutOff, signal });
      if (signal.aborted) return;
      remember(`answer.${asked.id}`, null);
      say(state, "taken; the session goes on …");
    } catch (refusal) {
      say(state, "");
      problem.set(refusal);
      if (this.asked?.id === asked.id) this.change({ isSending: false });
    }
  }

  /** Let the buttons be used as far as what is known, with these changes, allows it. */
  change(changes) {
    Object.assign(this, changes);
    const isOff = this.latest?.id !== this.asked.id || this.reason.readOnly || this.isSettling || this.isSending;
    for (const each of this.buttons) each.disabled = isOff || (each === this.approve && !this.isSeen);
  }
}
