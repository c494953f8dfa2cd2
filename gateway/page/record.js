// What is known of one session: its events and their story, and what it shows of itself.

import { Story } from "/page/story.js";

const MOST_EVENTS = 4_000;
const KEPT_EVENTS = 2_000;

export class Record {
  constructor() {
    /** As the interface shows it; null until the first answer. */
    this.resource = null;
    this.newest = null;
    this.isBroken = false;
    this.events = [];
    this.hasOlder = false;
    this.story = new Story();
    this.head = "";
  }

  /** What the session last said of itself; one that broke could not say that it is over. */
  get view() {
    return this.isBroken ? { ...this.newest, phase: "closed", asked: null } : this.newest;
  }

  /** Take the session as it was when its newest event was `head`. */
  greet(resource, head) {
    this.resource = resource;
    this.newest = resource.view;
    this.head = head;
  }

  /** Take the next events; views older than the one that is known do not count. */
  take(events) {
    this.events.push(...events);
    for (const each of events) {
      this.story.take(each);
      if (each.event.kind === "view.changed" && each.cursor >= this.head) this.newest = each.event.view;
      // Nothing comes after it: such a session is not reopened.
      if (each.event.kind === "session.broken") this.isBroken = true;
    }
  }

  takeText(message) {
    this.story.takeText(message);
  }

  /** Take the page before the first event, and fold all anew: it may begin what is here already. */
  takeOlder(page) {
    this.events = [...page.data, ...this.events];
    this.hasOlder = page.has_older;
    const before = this.story;
    this.story = new Story();
    for (const each of this.events) this.story.take(each);
    for (const item of this.story.items) {
      const known = before.byKey.get(item.key);
      if (known === undefined) continue;
      if (known.live) Object.assign(item, { live: known.live, liveBytes: known.liveBytes, epoch: known.epoch });
      item.version = known.version + 1;
    }
  }

  /** Forget all but the newest events once they are very many; older ones can be had again. */
  trim() {
    if (this.events.length <= MOST_EVENTS || this.story.running.size > 0) return;
    this.events = this.events.slice(-KEPT_EVENTS);
    this.takeOlder({ data: [], has_older: true });
  }

  /** Return when the turn began, null when that is not here, and ended, null while it runs, in ms since the epoch. */
  clock() {
    const began = this.story.turnBegan === null ? null : Date.parse(this.story.turnBegan);
    const isOver = this.view.phase === "waiting" || this.view.phase === "closed";
    return { began, ended: isOver && this.story.lastAt ? Date.parse(this.story.lastAt) : null };
  }

  /** Return the items to show; prompts whose whole text `textOf(id)` knows have it. */
  items(textOf) {
    const waiting = new Set(this.view.queue.map((prompt) => prompt.id));
    for (const item of this.story.items) if (item.kind === "prompt") complete(item, waiting, textOf);
    return this.story.items;
  }
}

function complete(item, waiting, textOf) {
  const isWaiting = waiting.has(item.id);
  if (item.isWhole !== undefined && item.isWaiting === isWaiting) return;
  const text = textOf(item.id);
  Object.assign(item, { isWaiting, isWhole: text !== undefined, version: item.version + 1 });
  if (text !== undefined) item.text = text;
}
