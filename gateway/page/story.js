// A session's story: its events folded into the items of a conversation. Pure.
//
// An item has a `key` that stays, a `kind` and a `version` that grows when it changes.

import { told } from "/page/notes.js";

/** Events of one session in their order, folded one by one. */
export class Story {
  constructor() {
    this.items = [];
    this.byKey = new Map();
    this.view = null;
    /** When the turn that the view names began; null when that is not among these events. */
    this.turnBegan = null;
    this.isFromStart = false;
    this.lastAt = null;
    /** What the model said when it last wanted to finish. */
    this.summary = "";
    this.settings = {};
    this.running = new Set();
  }

  take({ cursor, at, event }) {
    this.lastAt = at;
    const handle = HANDLERS[event.kind];
    if (handle) handle(this, event, at, cursor);
    else this.note(cursor, at, told(event));
  }

  /** Take what the model's unfinished reply says so far. */
  takeText({ turn, step, epoch, start, text }) {
    const item = this.byKey.get(stepKey({ turn, step }));
    if (item === undefined || item.isTaken) return;
    if (epoch < item.epoch) return;
    if (epoch > item.epoch) Object.assign(item, { epoch, live: "", liveBytes: 0 });
    const missed = start > item.liveBytes;
    const known = item.liveBytes - start;
    item.live += (missed ? " … " : "") + (known > 0 ? behind(text, known) : text);
    item.liveBytes = Math.max(item.liveBytes, start + new TextEncoder().encode(text).length);
    touch(item);
  }

  add(item) {
    const known = this.byKey.get(item.key);
    if (known !== undefined) return touch(Object.assign(known, item));
    const added = { version: 0, ...item };
    this.items.push(added);
    this.byKey.set(item.key, added);
    return added;
  }

  change(key, changes) {
    const item = this.byKey.get(key);
    if (item !== undefined) touch(Object.assign(item, changes));
  }

  note(cursor, at, lines) {
    if (lines !== null) this.add({ ...lines, key: lines.key ?? `note:${cursor}`, kind: "note", at });
  }
}

const HANDLERS = {
  "prompt.arrived": arrived,
  "prompt.revised": revised,
  "prompt.refused": (story, event) => {
    story.change(promptKey(event.prompt_id), { state: "not taken", refusal: event.reason });
  },
  "prompt.withdrawn": (story, event) => story.change(promptKey(event.prompt_id), { state: "withdrawn" }),
  "view.changed": viewed,
  "step.asked": (story, event, at) => story.add({
    key: stepKey(event), kind: "step", at, step: event.step, model: event.model, isTaken: false,
    epoch: -1, live: "", liveBytes: 0,
  }),
  "step.taken": (story, event, at) => {
    const known = story.byKey.has(stepKey(event)) ? {} : { at, model: "" };
    story.add({ ...event, ...known, key: stepKey(event), kind: "step", isTaken: true });
    story.summary = event.calls.find((call) => call.name === "finish")?.summary ?? story.summary;
  },
  "command.started": (story, event, at) => began(story, event, at, ""),
  "check.started": (story, event, at) => began(story, event, at, event.name),
  "command.finished": (story, event, at) => finished(story, event, at, ""),
  "check.finished": (story, event, at) => finished(story, event, at, event.name),
  "work.judged": (story, event, at, cursor) => {
    story.add({ ...event, key: `judged:${cursor}`, kind: "judged", at });
  },
  "pull_request.proposed": (story, event, at, cursor) => {
    story.add({ key: `proposed:${cursor}`, kind: "proposed", at, proposal: event.pull_request });
  },
  "work.failed": (story, event, at, cursor) => story.add({ ...event, key: `failed:${cursor}`, kind: "failed", at }),
  "session.started": opened,
  "session.reopened": opened,
  "session.closed": closed,
  "session.broken": closed,
  "session.configured": (story, event, at, cursor) => {
    for (const name of ["model", "fallbacks", "budget"]) {
      if (event[name] !== null) story.settings[name] = event[name];
    }
    story.note(cursor, at, told(event));
  },
};

function arrived(story, event, at) {
  const known = story.byKey.get(promptKey(event.prompt_id));
  if (known?.refusal) story.change(known.key, { state: "arrived", refusal: null });
  if (known !== undefined) return;
  story.add({
    key: promptKey(event.prompt_id), kind: "prompt", id: event.prompt_id, at, mode: event.mode,
    text: event.excerpt, size: event.size, state: "arrived",
  });
}

function revised(story, event, at) {
  story.change(promptKey(event.prompt_id), { state: "replaced" });
  story.add({
    key: promptKey(event.replacement), kind: "prompt", id: event.replacement, at, mode: "queue",
    text: event.excerpt, size: null, state: "arrived",
  });
}

function viewed(story, { view }, at) {
  const before = story.view;
  story.view = view;
  if (before === null) {
    if (story.isFromStart) story.turnBegan = at;
    if (view.last === null || view.turn !== view.last.turn) return;
  }
  if (before !== null && view.turn !== before.turn) story.turnBegan = at;
  const last = view.last;
  if (last !== null && last.turn !== before?.last?.turn) {
    const isNew = before !== null || !story.byKey.has(`end:${last.turn}`);
    const isSaid = story.items.at(-1)?.message === last.summary;
    if (isNew) story.add({ ...last, ...(isSaid ? { summary: "" } : {}), key: `end:${last.turn}`, kind: "end", at });
  }
}

function began(story, event, at, check) {
  const key = commandKey(event.command_id);
  if (story.byKey.get(key)?.isFinished) return;
  story.running.add(event.command_id);
  story.add({
    key, kind: "command", id: event.command_id, at, check, shell: event.shell, isFinished: false,
  });
}

function finished(story, event, at, check) {
  const key = commandKey(event.command_id);
  story.running.delete(event.command_id);
  const known = story.byKey.get(key);
  if (known?.isFinished) return;
  const begun = known ?? { at, shell: "", check };
  story.add({
    key, kind: "command", id: event.command_id, at: begun.at, shell: begun.shell, check: begun.check,
    isFinished: true, result: event,
  });
}

function opened(story, event, at, cursor) {
  if (event.kind === "session.started") story.isFromStart = true;
  story.settings = { model: event.model, budget: event.budget };
  story.note(cursor, at, told(event));
}

function closed(story, event, at, cursor) {
  for (const command of story.running) story.change(commandKey(command), { isFinished: true, result: null });
  story.running.clear();
  story.note(cursor, at, told(event));
}

/** Return what of a text is behind so many of its UTF-8 bytes. */
function behind(text, size) {
  const encoded = new TextEncoder().encode(text);
  return size >= encoded.length ? "" : new TextDecoder().decode(encoded.subarray(size));
}

function touch(item) {
  item.version += 1;
  return item;
}

const promptKey = (id) => `prompt:${id}`;
const commandKey = (id) => `command:${id}`;
const stepKey = ({ turn, step }) => `step:${turn}.${step}`;
