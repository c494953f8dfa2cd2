// Prompts of this tab that the gateway has not acknowledged: kept over reloads, sent in their order
// and repeated, each under its own id, until they are durable or refused.

import { ApiProblem, persist } from "/page/api.js";
import { newId } from "/page/ids.js";
import { EXPENDABLE, guard, recall, remember, remembered, untilForgotten } from "/page/memory.js";
import { wake } from "/page/pausing.js";

/** So many characters of texts are kept, fewer than half of what browsers store for a tab. */
const MOST_KEPT = 2_000_000;
const NAME = "outbox.";
/** Requests that are refused so were not even looked at. */
const UNTAKEN = new Set([401, 429]);

/** The outboxes of this tab, by session: they send whatever view is shown. */
const outboxes = new Map();
/** The whole texts of prompts that this tab has sent; null until somebody asks for one. */
let texts = null;

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
    this.signal.addEventListener("abort", () => this.forget());
    this.isSending = false;
    this.changed = () => {};
    // Whether the gateway heard of them before the page was loaded anew is not known.
    this.keep(recall(this.name, []).map((prompt) => ({ ...prompt, mayBeTaken: true })));
    this.send();
  }

  /** Call `changed()` whenever `waiting` is another, until the outbox is left. */
  open(changed) {
    this.changed = changed;
  }

  /** Take a prompt; from now on it survives everything but the end of this tab. */
  put(text, mode) {
    const prompt = { id: newId(), text, mode, problem: null, isRefused: false, mayBeTaken: false };
    keepText(this.session, prompt.id, text);
    this.keep([...this.waiting, prompt]);
    this.send();
  }

  /** Forget a prompt that is refused or put off. */
  discard(id) {
    this.keep(this.waiting.filter((prompt) => prompt.id !== id));
    if (this.sending?.id === id) this.sending.ending.abort();
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

  async one({ id, text, mode, mayBeTaken }) {
    const path = `/sessions/${this.session}/${mode === "reopen" ? "reopen" : "prompts"}`;
    const body = mode === "reopen" ? { prompt: { id, text } } : { id, text, mode };
    const ending = new AbortController();
    const signal = AbortSignal.any([this.signal, ending.signal]);
    this.sending = { id, ending };
    const onPutOff = (problem) => {
      mayBeTaken ||= !UNTAKEN.has(problem.status);
      this.replace(id, { problem: plain(problem), mayBeTaken });
    };
    try {
      await persist("POST", path, body, { onPutOff, signal });
      if (signal.aborted) return;
      this.keep(this.waiting.filter((prompt) => prompt.id !== id));
      wake();
    } catch (problem) {
      if (!signal.aborted) this.replace(id, { problem: plain(problem), isRefused: true });
    }
  }

  replace(id, changes) {
    this.keep(this.waiting.map((prompt) => (prompt.id === id ? { ...prompt, ...changes } : prompt)));
  }

  keep(waiting) {
    this.waiting = waiting;
    remember(this.name, waiting.length ? waiting : null);
    guard(this, waiting.length > 0);
    this.changed();
  }

  forget() {
    outboxes.delete(this.session);
    guard(this, false);
  }
}

/** Keep the whole text of a prompt that this tab has sent: events have its beginning only. */
export function keepText(session, id, text) {
  const kept = [...sent(), [`${session}/${id}`, text]];
  let size = kept.reduce((sum, [, each]) => sum + each.length, 0);
  while (size > MOST_KEPT) size -= kept.shift()[1].length;
  texts = new Map(kept);
  remember(EXPENDABLE, kept);
}

/** Return the whole text of a prompt that this tab has sent lately; undefined for any other. */
export function textOf(session, id) {
  return sent().get(`${session}/${id}`);
}

function sent() {
  if (texts === null) {
    texts = new Map(recall(EXPENDABLE, []));
    untilForgotten().addEventListener("abort", () => { texts = null; });
  }
  return texts;
}

function plain(problem) {
  const { title, detail, hint, code } = problem instanceof ApiProblem ? problem : { title: String(problem) };
  return { title, detail, hint, code };
}
