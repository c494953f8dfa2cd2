// Shows a command's output as inert lines: bytes in, text nodes out. A lone CR begins the line anew.

import { Colours } from "/page/colours.js";
import { el, fill, say, scrolled, show } from "/page/dom.js";
import { Escapes } from "/page/escapes.js";
import { bytes, whole } from "/page/format.js";
import { visible } from "/page/text.js";

/** Older lines than so many are dropped, and said to be. */
export const MOST_LINES = 5_000;

/** A longer line is cut, and marked. */
export const LONGEST_LINE = 2_000;

const FLUSH_MS = 30;

export class Terminal {
  /** `downloads` are links to the whole output, shown when it is not all here. */
  constructor(downloads) {
    this.notice = el("p.cut", { hidden: true });
    this.cut = el("span");
    this.notice.append(this.cut, ...downloads);
    this.body = scrolled("pre.output", "Output");
    this.element = el("div.terminal", {}, this.notice, this.body);
    this.sources = { 1: source(), 2: source() };
    this.lines = [];
    this.current = emptyLine();
    this.isReturned = false;
    this.dropped = 0;
    this.skipped = 0;
    this.timer = null;
    this.follows = true;
    this.body.addEventListener("scroll", () => {
      this.follows = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - 24;
    });
  }

  /** Take frames `{channel, data}`. */
  feed(frames) {
    for (const { channel, data } of frames) {
      const from = this.sources[channel];
      this.text(from, from.decoder.decode(data, { stream: true }), channel === 2 ? "stderr" : "");
    }
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  /** Say that so many bytes are left out here. */
  skip(size) {
    if (size <= 0) return;
    this.skipped += size;
    this.newLine();
    this.current.parts.push({ text: `… ${bytes(size)} left out …`, classes: "left-out" });
    this.newLine();
    this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  get isEmpty() {
    return this.lines.length === 0 && this.current.parts.length === 0;
  }

  text(from, text, extra) {
    for (const token of from.escapes.feed(text)) {
      if (token.text !== undefined) this.print(token.text, `${extra} ${from.colours.classes}`.trim());
      else if (token.end) this.newLine();
      else if (token.home) this.isReturned = true;
      else from.colours.take(token.colour);
    }
  }

  print(text, classes) {
    const line = this.current;
    if (this.isReturned) clear(line);
    this.isReturned = false;
    const room = LONGEST_LINE - line.length;
    if (room > 0) {
      const shown = visible(text.length > room ? text.slice(0, room) : text);
      const last = line.parts.at(-1);
      if (last?.classes === classes) last.text += shown;
      else line.parts.push({ text: shown, classes });
      line.length += shown.length;
    }
    if (text.length > room) line.isCut = true;
    line.isChanged = true;
  }

  newLine() {
    this.isReturned = false;
    this.current.isChanged = true;
    this.lines.push(this.current);
    this.current = emptyLine();
    if (this.lines.length >= 2 * MOST_LINES) this.drop();
  }

  drop() {
    for (const line of this.lines.splice(0, this.lines.length - MOST_LINES)) {
      line.element?.remove();
      this.dropped += 1;
    }
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.lines.length > MOST_LINES) this.drop();
    const fresh = document.createDocumentFragment();
    for (const line of this.changed()) {
      if (line.element === undefined) {
        line.element = el("span.line");
        fresh.append(line.element);
      }
      fill(line.element, rendered(line));
      line.isChanged = false;
    }
    this.body.append(fresh);
    this.announce();
    if (this.follows) this.body.scrollTop = this.body.scrollHeight;
  }

  /** Return the lines to be drawn anew: they are the last ones. */
  changed() {
    let first = this.lines.length;
    while (first > 0 && this.lines[first - 1].isChanged) first -= 1;
    const found = this.lines.slice(first);
    return this.current.isChanged ? [...found, this.current] : found;
  }

  announce() {
    const isCut = this.dropped > 0 || this.skipped > 0;
    show(this.notice, isCut);
    if (!isCut) return;
    const lines = this.dropped ? `${whole(this.dropped)} earlier lines` : "";
    const left = this.skipped ? `${bytes(this.skipped)} of output` : "";
    say(this.cut, `${[lines, left].filter(Boolean).join(" and ")} not shown here. All of it: `);
  }

  close() {
    clearTimeout(this.timer);
  }
}

function source() {
  return { decoder: new TextDecoder(), escapes: new Escapes(), colours: new Colours() };
}

function emptyLine() {
  return { parts: [], length: 0, isCut: false, isChanged: false, element: undefined };
}

function clear(line) {
  line.parts = [];
  line.length = 0;
  line.isCut = false;
}

function rendered(line) {
  const parts = line.parts.map(({ text, classes }) =>
    classes ? el(["span", ...classes.split(" ")].join("."), {}, text) : text);
  if (line.isCut) parts.push(el("span.left-out", {}, " … the line goes on"));
  return [...parts, "\n"];
}
