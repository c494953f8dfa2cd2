// Prompts of this tab that the gateway has not acknowledged: kept over reloads, sent in their order
// and repeated, each under its own id, until they are durable or refused.

import { ApiProblem, persist } from "/page/api.js";
import { newId } from "/page/ids.js";
import { recall, remember, remembered, untilForgotten } from "/page/memory.js";
import { wake } from "/page/pausing.js";

const REMEMBERED = 30;
const NAME = "outbox.";

/** The outboxes of this tab, by session: they send whatever view is shown. */
const outboxes = new Map();

/** Return a session's outbox; there is one in a tab. */
export function outboxOf(session) {
  if (!outboxes.has(session)) outboxes.set(session, new Outbox(session));
  return outboxes.get(session);
}

/** Go on with what this tab had not sent when it was loaded anew. */
export function resumeSending() {
  for (const session of remembered(NAME)) outboxOf(session);
}

class Outbox {
  constructor(session) {
    this.session = session;
    this.name = NAME + session;
    this.signal = untilForgotten();
    this.signal.addEventListener("abort", () => outboxes.delete(session));
    this.waiting = recall(this.name, []);
    this.isSending = false;
    this.changed = () => {};
    this.send();
  }

  /** Call `changed()` whenever `waiting` is another, until the outbox is left. */
  open(changed) {
    this.changed = changed;
  }

  /** Take a prompt; from now on it survives everything but the end of this tab. */
  put(text, mode) {
    const prompt = { id: newId(), text, mode, problem: null, isRefused: false };
    keepText(this.session, prompt.id, text);
    this.keep([...this.waiting, prompt]);
    this.send();
  }

  /** Forget a refused prompt. */
  discard(id) {
    this.keep(this.waiting.filter((prompt) => prompt.id !== id));
    this.send();
  }

  /** Send a refused prompt again, as the first of a closed session that is reopened. */
  reopen(id) {
    this.replace(id, { mode: "reopen", problem: null, isRefused: false });
    this.send();
  }

  /** Tell nobody any more; what waits is still sent. */
  close() {
    this.changed = () => {};
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    let next;
    while (!this.signal.aborted && (next = this.waiting.find((prompt) => !prompt.isRefused))) await this.one(next);
    this.isSending = false;
  }

  async one({ id, text, mode }) {
    const path = `/sessions/${this.session}/${mode === "reopen" ? "reopen" : "prompts"}`;
    const body = mode === "reopen" ? { prompt: { id, text } } : { id, text, mode };
    const onPutOff = (problem) => this.replace(id, { problem: plain(problem) });
    try {
      await persist("POST", path, body, { onPutOff, signal: this.signal });
      if (this.signal.aborted) return;
      this.keep(this.waiting.filter((prompt) => prompt.id !== id));
      wake();
    } catch (problem) {
      if (this.signal.aborted) return;
      this.replace(id, { problem: plain(problem), isRefused: true });
    }
  }

  replace(id, changes) {
    this.keep(this.waiting.map((prompt) => (prompt.id === id ? { ...prompt, ...changes } : prompt)));
  }

  keep(waiting) {
    this.waiting = waiting;
    remember(this.name, waiting);
    this.changed();
  }
}

/** Keep the whole text of a prompt that this tab has sent: events have its beginning only. */
export function keepText(session, id, text) {
  const texts = [...recall(`texts.${session}`, []), [id, text]];
  remember(`texts.${session}`, texts.slice(-REMEMBERED));
}

/** Return the whole text of a prompt that this tab has sent; undefined for any other. */
export function textOf(session, id) {
  return recall(`texts.${session}`, []).find(([known]) => known === id)?.[1];
}

function plain(problem) {
  const { title, detail, hint, code } = problem instanceof ApiProblem ? problem : { title: String(problem) };
  return { title, detail, hint, code };
}
