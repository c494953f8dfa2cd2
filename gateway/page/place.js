// Where the page stands in a session: what it has, and what it asks for again after an outage.

import { Frames } from "/page/frames.js";

/** Of a command's output, whatever is further behind its newest byte is left out. */
export const MOST_BEHIND = 256 * 1_024;

const NAMED = 1_000;
const ENDED = 64;
const STARTS = new Set(["command.started", "check.started"]);
const ENDS = new Set(["command.finished", "check.finished"]);

/** Everything is taken once and in order, whatever is sent twice. */
export class Place {
  /** `cursor` is that of the last event the page has; null when it has none. */
  constructor(cursor) {
    this.cursor = cursor;
    this.logs = new Map();
    this.ended = new Map();
  }

  /** Return the message that asks for all that is not here yet. */
  subscription() {
    const named = [...this.logs].slice(-NAMED).map(([command, log]) => [command, log.end]);
    const at = Object.fromEntries(named);
    const output = { mode: "all", at, most_behind: MOST_BEHIND };
    return { type: "subscribe", ...(this.cursor ? { after: this.cursor } : {}), output };
  }

  /** Return those of some events that are new. */
  fresh(events) {
    return events.filter((each) => {
      if (this.cursor !== null && each.cursor <= this.cursor) return false;
      this.cursor = each.cursor;
      return this.note(each.event);
    });
  }

  /** Return what is new in some bytes of a log, as frames; throws when bytes before are missing. */
  frames({ command, offset, data }) {
    const log = this.log(command);
    if (offset > log.end) throw new Error(`output of ${command} is missing from ${log.end}`);
    const fresh = data.subarray(Math.min(data.length, log.end - offset));
    log.end += fresh.length;
    return log.frames.feed(fresh);
  }

  /** Go on behind what was left out; returns how many bytes that is. */
  skip({ command_id: command, end }) {
    const log = this.log(command);
    const skipped = end - log.end;
    if (skipped <= 0) return 0;
    log.end = end;
    log.frames = new Frames();
    return skipped;
  }

  note(event) {
    const command = event.command_id;
    if (STARTS.has(event.kind) && !this.logs.has(command)) {
      this.logs.set(command, this.ended.get(command) ?? { end: 0, frames: new Frames() });
    } else if (ENDS.has(event.kind)) {
      return this.end(command, event.output_end);
    } else if (event.kind === "session.closed" || event.kind === "session.broken") {
      for (const [each, log] of this.logs) this.keep(each, log);
      this.logs.clear();
    }
    return true;
  }

  /** End a log; false for a command that ends a second time. */
  end(command, end) {
    const log = this.logs.get(command);
    this.logs.delete(command);
    if (log === undefined && this.ended.has(command)) return false;
    this.keep(command, log ?? { end, frames: new Frames() });
    return true;
  }

  keep(command, log) {
    this.ended.set(command, log);
    if (this.ended.size > ENDED) this.ended.delete(this.ended.keys().next().value);
  }

  log(command) {
    const known = this.logs.get(command) ?? this.ended.get(command);
    if (known !== undefined) return known;
    const begun = { end: 0, frames: new Frames() };
    this.logs.set(command, begun);
    return begun;
  }
}
