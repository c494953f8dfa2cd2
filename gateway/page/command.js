// A command or check of the conversation: open with its output while it runs or when it failed.

import { bytesOf } from "/page/api.js";
import { el, fill, say, scrolled, set } from "/page/dom.js";
import { duration, ended } from "/page/format.js";
import { Frames } from "/page/frames.js";
import { problemPlace } from "/page/problem.js";
import { Terminal } from "/page/terminal.js";
import { line, visible } from "/page/text.js";

/** Of a longer output, only the end of both channels is read when it is opened later. */
const WHOLE_BYTES = 1_024 * 1_024;
const TAIL_BYTES = 128 * 1_024;
/** A longer output fills all the room that one may take, as `session.css` has it. */
const FULL_BYTES = 4_096;

/** A margin of the root would not reach into what scrolls by itself. */
const nearness = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) target.dispatchEvent(new Event(isIntersecting ? "near" : "far"));
}, { scrollMargin: "300px" });

export class CommandCard {
  constructor(session, item) {
    this.path = `/sessions/${session}/commands/${encodeURIComponent(item.id)}/output`;
    // The story changes its items in place.
    this.item = item;
    this.wasRunning = !item.isFinished;
    this.terminal = null;
    /** Whether all that is there is in the terminal, or comes by itself. */
    this.isFed = false;
    this.isLoading = false;
    this.isNear = false;
    this.byPerson = false;
    this.sign = el("span.sign", { "aria-hidden": "true" });
    this.shell = el("code.shell");
    this.state = el("span.state");
    this.body = el("div.command-body");
    this.problem = problemPlace();
    this.summary = el("summary", {}, this.sign, this.shell, this.state);
    this.element = el("details.command", {}, this.summary, this.body, this.problem.element);
    this.summary.addEventListener("click", () => { this.byPerson = true; });
    this.element.addEventListener("toggle", () => this.toggled());
    for (const name of ["near", "far"]) this.element.addEventListener(name, () => this.approached(name === "near"));
    nearness.observe(this.element);
    this.update(item);
  }

  update(item) {
    const { wasRunning } = this;
    this.wasRunning = !item.isFinished;
    const { result, isFinished, check } = item;
    const [word, tone] = isFinished ? verdictOf(item) : ["running", "busy"];
    say(this.sign, check ? "check" : "$");
    say(this.shell, check ? `${line(check)}: ${line(item.shell, 300)}` : line(item.shell, 300) || item.id);
    say(this.state, result ? `${word} · ${duration(result.seconds)}` : word);
    set(this.element, "data-tone", tone);
    this.whole();
    this.reserve();
    if (!isFinished) this.openItself(true);
    else if (tone === "bad" && !check) this.openItself(true);
    else if (wasRunning) this.openItself(false);
  }

  /** Show frames that have just come. */
  feed(frames) {
    this.fed().feed(frames);
  }

  skip(size) {
    this.fed().skip(size);
  }

  close() {
    nearness.unobserve(this.element);
    this.terminal?.close();
  }

  openItself(isOpen) {
    if (!this.byPerson && this.element.open !== isOpen) this.element.open = isOpen;
  }

  toggled() {
    if (this.element.open) return this.load();
    if (this.item.isFinished) this.forget();
  }

  approached(isNear) {
    this.isNear = isNear;
    this.load();
  }

  /** Take the room of an output that is not read yet, so that nothing moves when it is. */
  reserve() {
    const { result, isFinished } = this.item;
    set(this.element, "data-unread", isFinished && !this.isFed && (result?.output_end ?? 0) > FULL_BYTES);
  }

  /** What is folded needs no room; it is read again when it is opened. */
  forget() {
    this.terminal?.close();
    this.terminal = null;
    this.isFed = false;
    fill(this.body, this.wholeShell);
    this.reserve();
  }

  whole() {
    const text = visible(this.item.shell);
    if (this.wholeShell !== undefined || (!text.includes("\n") && text.length <= 120)) return;
    this.wholeShell = scrolled("pre.whole-shell", "The whole command", {}, text);
    this.body.prepend(this.wholeShell);
  }

  fed() {
    this.isFed = true;
    this.reserve();
    return this.made();
  }

  made() {
    if (this.terminal === null) {
      const download = (stream) =>
        el("a", { href: `/api/v1${this.path}?stream=${stream}`, download: `${this.item.id}.${stream}` }, stream);
      this.terminal = new Terminal([download("stdout"), " ", download("stderr")]);
      this.body.append(this.terminal.element);
    }
    return this.terminal;
  }

  /** Read the output of what is open once a person comes near: a long session has many that failed. */
  async load() {
    const { result, isFinished } = this.item;
    if (!this.element.open || !this.isNear || this.isFed || this.isLoading || !isFinished) return;
    if (result?.output_end === 0) return fill(this.body, this.wholeShell, el("p.empty", {}, "It printed nothing."));
    this.isLoading = true;
    this.problem.set(null);
    try {
      const frames = await this.read(result?.output_end ?? 0);
      if (!this.isFed) this.feed(frames);
    } catch (problem) {
      set(this.element, "data-unread", false);
      if (problem.code === "no_output") fill(this.body, this.wholeShell, el("p.empty", {}, "It printed nothing."));
      else this.problem.set(problem);
    }
    this.isLoading = false;
  }

  async read(end) {
    if (end > 0 && end <= WHOLE_BYTES) return new Frames().feed(await bytesOf(`${this.path}?stream=log`));
    const { stdout_bytes: out, stderr_bytes: err } = this.item.result ?? {};
    const left = Math.max(0, end - 2 * TAIL_BYTES);
    if (left) this.made().skip(left);
    const parts = [[1, "stdout", out], [2, "stderr", err]].filter(([, , size]) => size !== 0);
    return Promise.all(parts.map(async ([channel, name]) => ({ channel, data: await this.tail(name) })));
  }

  async tail(stream) {
    try {
      return await bytesOf(`${this.path}?stream=${stream}`, { range: `bytes=-${TAIL_BYTES}` });
    } catch (problem) {
      if (problem.status === 416 || problem.code === "no_output") return new Uint8Array(0);
      throw problem;
    }
  }
}

function verdictOf(item) {
  const { result, check } = item;
  if (result === null) return ["its end is unknown", "bad"];
  if (!check) return ended(result);
  if (!result.runnable) return ["could not be run", "bad"];
  const tests = result.tests;
  const counted = tests && tests.passed + tests.failed ? ` ${tests.passed} passed, ${tests.failed} failed` : "";
  const found = result.findings ? ` ${result.findings} findings` : "";
  const more = counted || found;
  return [`${result.passed ? "passed" : "failed"}${more && ":"}${more}`, result.passed ? "good" : "bad"];
}
