// Starts a session: the task, where, with which model, and what a person wants to approve.

import { persist } from "/page/api.js";
import { el, form, say, set } from "/page/dom.js";
import { newId } from "/page/ids.js";
import { recall, remember, untilForgotten } from "/page/memory.js";
import { keepText } from "/page/outbox.js";
import { problemPlace } from "/page/problem.js";
import { line } from "/page/text.js";

const DRAFT = "draft.new";
const LAST = "last-session";
/** A request whose answer is not known: with the same id it is the same session, whoever repeats it. */
const STARTING = "starting.new";
const HINT = "Ctrl+Enter starts";

/** The session that this tab is starting, whatever view is shown; null when none is. */
let starting = null;

export class Composer {
  constructor(go) {
    this.go = go;
    const last = recall(LAST, {}, localStorage);
    this.task = el("textarea", {
      id: "task", rows: 2, placeholder: "What is to be done? Fix the failing test …", required: true,
      on: { input: () => this.typed(), keydown: (event) => this.key(event) },
    });
    this.task.value = recall(DRAFT, "");
    this.repository = field("repository", last.repository, {
      placeholder: "/path/on/the/host or https://…", required: true, list: "repositories",
    });
    this.base = field("base", last.base ?? "main", { required: true });
    this.model = field("model", last.model, { placeholder: "the gateway's" });
    this.steps = field("steps", "", { type: "number", min: 1, max: 10_000, placeholder: "100" });
    this.cost = field("cost", "", { type: "number", min: "0.01", step: "0.01", placeholder: "no limit" });
    this.look = el("input", { type: "checkbox", id: "look" });
    this.known = el("datalist", { id: "repositories" });
    this.start = el("button.primary", { type: "submit" }, "Start");
    this.state = el("span.hint", {}, HINT);
    this.problem = problemPlace();
    this.element = this.layout();
    this.restore(starting?.body ?? recall(STARTING, null));
    this.typed();
    if (starting !== null) this.follow(starting);
  }

  /** Fill the form as it was when a request was made that was not answered. */
  restore(body) {
    if (body === null || body.prompt.text !== this.task.value) return;
    this.repository.value = body.repository.url;
    this.base.value = body.repository.base;
    this.model.value = body.model ?? "";
    this.steps.value = body.budget.steps ?? "";
    this.cost.value = body.budget.cost_usd ?? "";
    this.look.checked = body.approvals.pull_request;
  }

  layout() {
    const approval = el("label.check", { for: "look" }, this.look, " Ask me before anything is proposed");
    const more = el("details.more", {}, el("summary", {}, "Budget and approval"),
      el("div.fields", {}, labelled("Steps a turn", this.steps), labelled("US dollars in all", this.cost), approval));
    // A browser says nothing of a field that it cannot show; the event does not bubble.
    more.addEventListener("invalid", () => { more.open = true; }, { capture: true });
    return form("form.composer", () => this.submit(), { "aria-label": "New session" },
      labelled("New session", this.task),
      el("div.fields", {}, labelled("Repository", this.repository), labelled("Base branch", this.base),
        labelled("Model", this.model), this.known),
      el("div.composer-end", {},
        more, el("div.actions", {}, this.state, this.start)),
      this.problem.element);
  }

  focus() {
    this.task.focus();
  }

  /** Lead nobody away who went elsewhere while the session was being started. */
  close() {
    this.isLeft = true;
  }

  /** Offer the repositories of sessions that are known. */
  know(sessions) {
    const urls = [...new Set(sessions.map((session) => session.repository.url))].slice(0, 20);
    if (!this.repository.value && document.activeElement !== this.repository && urls.length) {
      this.repository.value = urls[0];
    }
    if (this.known.childElementCount === urls.length) return;
    this.known.replaceChildren(...urls.map((url) => el("option", { value: url })));
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.element.requestSubmit();
  }

  typed() {
    remember(DRAFT, this.task.value || null);
    set(this.task, "rows", Math.min(12, Math.max(2, this.task.value.split("\n").length)));
  }

  async submit() {
    // A form that is asked to submit itself does not look at its button.
    if (this.start.disabled) return;
    const text = this.task.value;
    if (!text.trim()) return this.task.focus();
    starting = new Starting(this.body(text));
    const session = await this.follow(starting);
    if (session && !this.isLeft) this.go(`/s/${session.id}`);
  }

  /** Show how a session is started, by this form or one before it; return it, or undefined when it is not. */
  async follow(begun) {
    this.problem.set(null);
    this.start.disabled = true;
    begun.show(this.state);
    let session;
    try {
      session = await begun.session;
      if (session && !this.isLeft) this.empty(begun.body.prompt.text);
    } catch (problem) {
      if (this.isLeft) return undefined;
      this.problem.set(problem);
    }
    if (starting === begun) starting = null;
    this.start.disabled = false;
    say(this.state, HINT);
    return session;
  }

  /** Another task may have been written meanwhile. */
  empty(text) {
    if (this.task.value !== text) return;
    this.task.value = "";
    this.typed();
  }

  body(text) {
    const budget = {
      ...(this.steps.value ? { steps: Number(this.steps.value) } : {}),
      ...(this.cost.value ? { cost_usd: Number(this.cost.value) } : {}),
    };
    const body = {
      prompt: { id: newId(), text },
      repository: { url: this.repository.value.trim(), base: this.base.value.trim() },
      ...(this.model.value.trim() ? { model: this.model.value.trim() } : {}),
      budget,
      approvals: { pull_request: this.look.checked },
    };
    const begun = recall(STARTING, null);
    const again = { ...body, prompt: { id: begun?.prompt.id, text } };
    return JSON.stringify(again) === JSON.stringify(begun) ? begun : body;
  }
}

/** A session that is being started: it goes on when the form is left, and the next form shows it. */
class Starting {
  constructor(body) {
    this.body = body;
    this.state = null;
    this.why = "";
    this.signal = untilForgotten();
    this.signal.addEventListener("abort", () => { starting = null; });
    /** Resolves to the session, or to undefined after a sign-out; rejects when it is refused. */
    this.session = this.make();
  }

  /** Tell in this element, and in no other any more, how it goes. */
  show(state) {
    this.state = state;
    this.tell();
  }

  tell() {
    if (this.state !== null) say(this.state, this.why ? `${this.why}. Trying again …` : "starting …");
  }

  async make() {
    remember(STARTING, this.body);
    const onPutOff = (problem) => {
      this.why = line(problem.title, 100);
      this.tell();
    };
    try {
      const session = await persist("POST", "/sessions", this.body, { onPutOff, signal: this.signal });
      if (session && !this.signal.aborted) this.keep(session);
      return this.signal.aborted ? undefined : session;
    } finally {
      if (!this.signal.aborted) remember(STARTING, null);
    }
  }

  keep(session) {
    const { prompt, repository, model } = this.body;
    keepText(session.id, prompt.id, prompt.text);
    if (recall(DRAFT, "") === prompt.text) remember(DRAFT, null);
    remember(LAST, { ...repository, repository: repository.url, model: model ?? "" }, localStorage);
  }
}

function field(id, value, attributes) {
  const plain = { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" };
  const input = el("input", { id, ...plain, ...attributes });
  input.value = value ?? "";
  return input;
}

function labelled(text, control) {
  return el("div.field", {}, el("label", { for: control.id }, text), control);
}
