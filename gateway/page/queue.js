// The prompts that wait, and those that are on their way: edit, withdraw, put back.

import { persist } from "/page/api.js";
import { KeyedList, button, chip, el, fill, form, say, show } from "/page/dom.js";
import { count } from "/page/format.js";
import { newId } from "/page/ids.js";
import { recall, remember, remembered, untilForgotten } from "/page/memory.js";
import { keepText, textOf } from "/page/outbox.js";
import { parts, problemPlace } from "/page/problem.js";
import { line } from "/page/text.js";

const UNSURE = "An attempt was not answered, so it may have been taken: then the conversation shows it.";

export class Queue {
  /** `restore(text)` puts a text back into the prompt box; `rescue(text)` too, of a prompt that is gone. */
  constructor(session, outbox, { restore, rescue }) {
    this.session = session;
    this.outbox = outbox;
    this.restore = restore;
    this.rescue = rescue;
    this.isNew = true;
    this.title = el("h2");
    this.rows = el("ul.queue");
    this.element = el("section.queue-place", { "aria-label": "Waiting prompts", hidden: true }, this.title, this.rows);
    this.list = new KeyedList(this.rows, (item) =>
      item.isOutgoing ? this.outgoing(item) : new Waiting(this.session, item, (text) => this.giveBack(item.id, text)));
  }

  update(view) {
    const outgoing = this.outbox.waiting.map((prompt) => ({ ...prompt, key: `out:${prompt.id}`, isOutgoing: true }));
    const waiting = (view?.queue ?? []).map((prompt) => ({ ...prompt, key: `in:${prompt.id}` }));
    show(this.element, outgoing.length + waiting.length > 0);
    const hidden = (view?.queued ?? 0) - waiting.length;
    const rest = hidden > 0 ? `, the first ${waiting.length} here` : "";
    say(this.title, waiting.length ? `${count(view.queued, "prompt")} waiting${rest}` : "On its way");
    this.list.update([...waiting, ...outgoing]);
    if (view && this.isNew) {
      this.isNew = false;
      if (hidden <= 0) this.rescueRest(waiting);
    }
  }

  /** What was written to replace a prompt, which began while nobody looked, is not lost either. */
  rescueRest(waiting) {
    const ids = new Set(waiting.map((prompt) => prompt.id));
    for (const id of remembered(draft(this.session, ""))) {
      if (!ids.has(id)) this.giveBack(id, recall(draft(this.session, id), ""));
    }
  }

  /** Give back what was written to replace a prompt that is gone; when this view is, by the next one. */
  giveBack(id, text) {
    if (!this.element.isConnected) return;
    remember(draft(this.session, id), null);
    this.rescue(text);
  }

  outgoing(first) {
    const state = el("span.chip");
    const error = el("div.problem", { hidden: true });
    const back = button("button", "Back into the box", () => {
      this.restore(first.text);
      this.outbox.discard(first.id);
    });
    const reopen = button("button", "Reopen with it", () => this.outbox.reopen(first.id));
    const actions = el("div.actions", { hidden: true }, reopen, back);
    const row = el("div.queue-row", {}, state, el("span.name", {}, line(first.text, 200)));
    const element = el("li", {}, row, error, actions);
    const update = ({ problem, isRefused, mayBeTaken }) => {
      say(state, isRefused ? "refused" : problem ? "sending, again and again" : "sending");
      for (const each of [error, actions]) show(each, problem !== null);
      const { title, code } = problem ?? {};
      if (problem) fill(error, parts(isRefused ? problem : { title, code, detail: mayBeTaken ? UNSURE : "" }));
      show(reopen, isRefused && code === "session_closed");
    };
    return { element, update };
  }
}

/** One prompt that waits in the session. */
class Waiting {
  constructor(session, item, rescue) {
    this.rescue = rescue;
    this.path = `/sessions/${session}/prompts/${item.id}`;
    this.session = session;
    this.draft = draft(session, item.id);
    this.item = item;
    this.problem = problemPlace();
    this.text = el("span.name");
    this.edit = button("button", "Edit", () => this.open());
    this.withdraw = button("button", "Withdraw", () => this.start("DELETE"));
    this.form = form("form.edit-form", () => this.save(), { hidden: true });
    this.element = el("li", {},
      el("div.queue-row", {}, chip("", item.mode), this.text, this.edit, this.withdraw),
      this.form, this.problem.element);
  }

  update(item) {
    this.item = item;
    const whole = textOf(this.session, item.id);
    say(this.text, line(whole ?? item.excerpt, 200));
  }

  open() {
    if (!this.form.hidden) return this.field.focus();
    // An excerpt is one line: it says nothing of the lines that the prompt has.
    const text = textOf(this.session, this.item.id) ?? "";
    this.field = el("textarea", { rows: 3, "aria-label": "The prompt's new text", on: { input: () => this.typed() } });
    this.field.value = text;
    this.before = this.field.value;
    this.field.value = recall(this.draft, text);
    const cancel = button("button", "Cancel", () => this.cancel());
    const unknown = "Another client sent it, or long ago; only its beginning is known here. Write the whole text anew.";
    const note = text ? null : el("p.hint", {}, unknown);
    fill(this.form, note, this.field, el("div.actions", {}, cancel, el("button.primary", { type: "submit" }, "Replace")));
    show(this.form, true);
    this.field.focus();
  }

  /** The prompt waits no longer: what was written to replace it and did not is not lost with its row. */
  async close() {
    await this.changing;
    if (this.form.hidden || !this.field.value.trim() || this.field.value === this.before) return;
    this.rescue(this.field.value);
  }

  typed() {
    const { value } = this.field;
    remember(this.draft, value === this.before ? null : value);
  }

  cancel() {
    this.fold();
    this.edit.focus();
  }

  fold() {
    remember(this.draft, null);
    show(this.form, false);
  }

  save() {
    const body = { id: newId(), text: this.field.value, mode: this.item.mode };
    if (!body.text.trim()) return this.field.focus();
    keepText(this.session, body.id, body.text);
    this.start("PUT", body);
  }

  start(method, body) {
    this.changing = this.change(method, body);
  }

  async change(method, body) {
    this.problem.set(null);
    this.edit.disabled = this.withdraw.disabled = true;
    try {
      const onPutOff = (problem) => this.problem.set(problem);
      await persist(method, this.path, body, { onPutOff, signal: untilForgotten() });
      this.problem.set(null);
      this.fold();
    } catch (problem) {
      this.problem.set(problem);
    }
    this.edit.disabled = this.withdraw.disabled = false;
  }
}

/** Name what is written to replace a waiting prompt. */
function draft(session, id) {
  return `edit.${session}/${id}`;
}
