// The prompts that wait, and those that are on their way: edit, withdraw, put back.

import { persist } from "/page/api.js";
import { KeyedList, button, chip, el, fill, form, say, show } from "/page/dom.js";
import { count } from "/page/format.js";
import { newId } from "/page/ids.js";
import { untilForgotten } from "/page/memory.js";
import { keepText, textOf } from "/page/outbox.js";
import { parts, problemPlace } from "/page/problem.js";
import { line } from "/page/text.js";

export class Queue {
  /** `restore(text)` puts a text back into the prompt box; `rescue(text)` too, of a prompt that is gone. */
  constructor(session, outbox, { restore, rescue }) {
    this.session = session;
    this.outbox = outbox;
    this.restore = restore;
    this.title = el("h2");
    this.rows = el("ul.queue");
    this.element = el("section.queue-place", { "aria-label": "Waiting prompts", hidden: true }, this.title, this.rows);
    this.list = new KeyedList(this.rows, (item) =>
      item.isOutgoing ? this.outgoing(item) : new Waiting(this.session, item, rescue));
  }

  update(view) {
    const outgoing = this.outbox.waiting.map((prompt) => ({ ...prompt, key: `out:${prompt.id}`, isOutgoing: true }));
    const waiting = (view?.queue ?? []).map((prompt) => ({ ...prompt, key: `in:${prompt.id}` }));
    show(this.element, outgoing.length + waiting.length > 0);
    const hidden = (view?.queued ?? 0) - waiting.length;
    const rest = hidden > 0 ? `, the first ${waiting.length} here` : "";
    say(this.title, waiting.length ? `${count(view.queued, "prompt")} waiting${rest}` : "On its way");
    this.list.update([...waiting, ...outgoing]);
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
    const update = ({ problem, isRefused }) => {
      say(state, isRefused ? "refused" : problem ? "sending, again and again" : "sending");
      show(error, isRefused);
      if (isRefused) fill(error, parts(problem));
      show(actions, isRefused);
      show(reopen, problem?.code === "session_closed");
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
    this.field = el("textarea", { rows: 3, "aria-label": "The prompt's new text" });
    this.field.value = text;
    this.before = this.field.value;
    const cancel = button("button", "Cancel", () => this.fold());
    const unknown = "Another client sent it; only its beginning is known here. Write the whole text anew.";
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

  fold() {
    show(this.form, false);
    this.edit.focus();
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
      show(this.form, false);
    } catch (problem) {
      this.problem.set(problem);
    }
    this.edit.disabled = this.withdraw.disabled = false;
  }
}
