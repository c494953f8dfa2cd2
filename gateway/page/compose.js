// Starts a session: the task, where, with which model, and what a person wants to approve.

import { persist } from "/page/api.js";
import { el, form, say, set } from "/page/dom.js";
import { newId } from "/page/ids.js";
import { recall, remember, untilForgotten } from "/page/memory.js";
import { keepText } from "/page/outbox.js";
import { problemPlace } from "/page/problem.js";

const DRAFT = "draft.new";
const LAST = "last-session";
/** A request whose answer is not known: with the same id it is the same session, whoever repeats it. */
const STARTING = "starting.new";

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
    this.state = el("span.hint", {}, "Ctrl+Enter starts");
    this.problem = problemPlace();
    this.element = this.layout();
    this.restore(recall(STARTING, null));
    this.typed();
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
    return form("form.composer", () => this.submit(), { "aria-label": "New session" },
      labelled("New session", this.task),
      el("div.fields", {}, labelled("Repository", this.repository), labelled("Base branch", this.base),
        labelled("Model", this.model), this.known),
      el("div.composer-end", {},
        el("details.more", {}, el("summary", {}, "Budget and approval"),
          el("div.fields", {}, labelled("Steps a turn", this.steps), labelled("US dollars in all", this.cost), approval)),
        el("div.actions", {}, this.state, this.start)),
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
    const body = this.body(text);
    remember(STARTING, body);
    this.problem.set(null);
    this.start.disabled = true;
    say(this.state, "starting …");
    const signal = untilForgotten();
    try {
      const onPutOff = () => say(this.state, "The gateway does not answer. Trying again …");
      const session = await persist("POST", "/sessions", body, { onPutOff, signal });
      if (signal.aborted) return;
      keepText(session.id, body.prompt.id, text);
      remember(STARTING, null);
      remember(DRAFT, null);
      remember(LAST, { ...body.repository, repository: body.repository.url, model: body.model ?? "" }, localStorage);
      if (!this.isLeft) this.go(`/s/${session.id}`);
    } catch (problem) {
      remember(STARTING, null);
      this.problem.set(problem);
    }
    this.start.disabled = false;
    say(this.state, "Ctrl+Enter starts");
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

function field(id, value, attributes) {
  const plain = { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" };
  const input = el("input", { id, ...plain, ...attributes });
  input.value = value ?? "";
  return input;
}

function labelled(text, control) {
  return el("div.field", {}, el("label", { for: control.id }, text), control);
}
