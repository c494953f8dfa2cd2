// Where a person writes the next prompt: its text stays until it is in the outbox.

import { button, el, form, say, set, show } from "/page/dom.js";
import { recall, remember } from "/page/memory.js";

export class PromptBox {
  /** `send(text, mode)` takes a prompt; mode is `queue`, `steer`, `interrupt` or `reopen`. */
  constructor(session, send) {
    this.name = `draft.${session}`;
    this.send = send;
    this.phase = "";
    this.text = el("textarea.prompt-box", {
      id: "prompt", rows: 2, placeholder: "Write the next prompt", "aria-describedby": "prompt-keys",
      on: { keydown: (event) => this.key(event), input: () => this.typed() },
    });
    this.text.value = recall(this.name, "");
    this.first = el("button.primary", { type: "submit" });
    this.steer = button("button", "Steer", () => this.put("steer"), { title: "Before the next reply of the model" });
    this.interrupt = button("button", "Interrupt", () => this.put("interrupt"), { title: "Stop what runs, then this" });
    this.keys = el("span.hint", { id: "prompt-keys" });
    this.element = form("form.prompt-form", () => this.put(this.usual), {},
      el("label.unseen", { for: "prompt" }, "Prompt"), this.text,
      el("div.prompt-actions", {}, this.keys, this.interrupt, this.steer, this.first));
    this.typed();
  }

  /** Offer what fits the session's phase. */
  update(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    const isIdle = phase === "waiting" || phase === "closed";
    this.usual = phase === "closed" ? "reopen" : "queue";
    say(this.first, { closed: "Reopen with this", waiting: "Send" }[phase] ?? "Queue");
    show(this.steer, !isIdle);
    show(this.interrupt, !isIdle);
    const keys = isIdle ? "Enter sends" : "Enter queues · Ctrl+Enter steers";
    say(this.keys, `${keys} · Shift+Enter: new line`);
  }

  focus() {
    this.text.focus();
  }

  /** Put a text back that could not be sent. */
  restore(text, { isFocused = true } = {}) {
    this.text.value = this.text.value ? `${text}\n\n${this.text.value}` : text;
    this.typed();
    if (isFocused) this.focus();
  }

  put(mode) {
    const text = this.text.value;
    if (!text.trim()) return this.focus();
    this.send(text, mode);
    this.text.value = "";
    this.typed();
    this.focus();
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    const isIdle = this.phase === "waiting" || this.phase === "closed";
    this.put((event.ctrlKey || event.metaKey) && !isIdle ? "steer" : this.usual);
  }

  typed() {
    remember(this.name, this.text.value || null);
    const rows = this.text.value.split("\n").length;
    set(this.text, "rows", Math.min(10, Math.max(2, rows)));
  }
}
