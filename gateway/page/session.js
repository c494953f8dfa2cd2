// One session: its newest events first, then whatever happens, over any number of connections.

import { call, persist } from "/page/api.js";
import { Banner, announce } from "/page/banner.js";
import { Conversation } from "/page/conversation.js";
import { button, el, set } from "/page/dom.js";
import { count } from "/page/format.js";
import { Header } from "/page/header.js";
import { outboxOf, textOf } from "/page/outbox.js";
import { pause } from "/page/pausing.js";
import { Place } from "/page/place.js";
import { parts } from "/page/problem.js";
import { PromptBox } from "/page/promptbox.js";
import { QuestionPlace } from "/page/question.js";
import { Queue } from "/page/queue.js";
import { Record } from "/page/record.js";
import { Following } from "/page/socket.js";
import { line } from "/page/text.js";
import { Work } from "/page/work.js";

const PAGE = 200;
const CLOSED_LOOK_MS = 3_000;

export class SessionView {
  constructor(id) {
    this.id = id;
    this.path = `/sessions/${encodeURIComponent(id)}`;
    this.ending = new AbortController();
    this.record = new Record();
    this.banner = new Banner();
    this.header = new Header(id);
    this.conversation = new Conversation(id, () => this.loadOlder());
    this.outbox = outboxOf(id);
    this.outbox.open(() => this.redraw());
    this.box = new PromptBox(id, (text, mode) => this.outbox.put(text, mode));
    const restore = (text) => this.box.restore(text);
    this.queue = new Queue(id, this.outbox, { restore, rescue: (text) => this.rescue(text) });
    this.question = new QuestionPlace(id);
    this.work = new Work(id);
    this.element = this.layout();
    this.ticking = setInterval(() => this.header.tick(), 1_000);
    this.open();
  }

  layout() {
    this.main = el("main.session", {},
      el("div.talk", {}, this.conversation.element,
        el("div.dock", {}, this.question.element, this.queue.element, this.box.element)),
      this.work.element);
    this.tabs = [["conversation", "Conversation"], ["work", "Work"]].map(([name, text]) =>
      button("button", text, () => this.turnTo(name), { "data-tab": name }));
    this.turnTo("conversation");
    return el("div.view.session-view", {}, this.header.element, this.banner.element,
      el("div.tabs", { role: "group", "aria-label": "Parts of the session" }, ...this.tabs), this.main);
  }

  /** On a narrow screen one part is seen at a time. */
  turnTo(name) {
    set(this.main, "data-shown", name);
    for (const tab of this.tabs) set(tab, "aria-pressed", String(tab.dataset.tab === name));
  }

  close() {
    this.ending.abort();
    clearInterval(this.ticking);
    clearTimeout(this.timer);
    this.following?.close();
    this.outbox.close();
    this.conversation.close();
    this.question.close();
  }

  focusComposer() {
    this.box.focus();
  }

  /** Put a text into the box whose own field is gone; the keys that were meant for that do nothing here. */
  rescue(text) {
    if (this.ending.signal.aborted) return;
    this.box.restore(text, { isFocused: false });
    this.banner.pass("That prompt waits no longer. Your new text is in the prompt box");
  }

  newest() {
    this.conversation.toEnd();
  }

  async open() {
    const { signal } = this.ending;
    const onPutOff = () => this.banner.say("lost", "The gateway does not answer. Trying again …");
    try {
      const found = await Promise.all([
        persist("GET", this.path, undefined, { signal, onPutOff }),
        persist("GET", `${this.path}/events?limit=${PAGE}`, undefined, { signal, onPutOff }),
      ]);
      if (!signal.aborted) this.begin(...found);
    } catch (problem) {
      if (!signal.aborted) this.refuse(problem);
    }
  }

  refuse(problem) {
    const back = el("p", {}, el("a", { href: "/" }, "All sessions"));
    this.element.replaceChildren(el("main", {}, el("div.problem.whole", { role: "alert" }, ...parts(problem), back)));
  }

  begin(resource, page) {
    const last = page.data.at(-1)?.cursor ?? null;
    this.banner.clear();
    this.record.hasOlder = page.has_older;
    this.greet(resource, last ?? "");
    this.take(page.data);
    this.place = new Place(last);
    for (const { event } of page.data) this.place.note(event);
    this.fresh = 0;
    this.follow();
  }

  follow() {
    this.following?.close();
    this.following = new Following(this.id, this.place, {
      take: (message) => this.message(message),
      takeOutput: (message) => this.output(message),
      tell: (state, why) => this.told(state, why),
    });
  }

  greet(resource, head) {
    this.record.greet(resource, head);
    this.header.greet(resource);
    this.redraw();
  }

  message(message) {
    switch (message.type) {
      case "hello":
        this.fresh = 0;
        this.greet(message.session, message.head ?? "");
        break;
      case "events": {
        const fresh = this.place.fresh(message.items);
        this.fresh += fresh.length;
        this.take(fresh);
        break;
      }
      case "output.skipped": {
        const skipped = this.place.skip(message);
        this.card(message.command_id)?.skip(skipped);
        break;
      }
      case "text":
        this.record.takeText(message);
        this.redraw();
        break;
      case "trouble":
        this.header.setTrouble(message.text);
        break;
      case "caught_up":
        this.caughtUp();
        break;
      default:
    }
  }

  output(message) {
    const frames = this.place.frames(message);
    if (frames.length) this.card(message.command)?.feed(frames);
  }

  /** Return a command's card; what came before is drawn first. */
  card(command) {
    if (this.isStale) this.draw();
    return this.conversation.card(command);
  }

  take(events) {
    this.record.take(events);
    this.redraw();
  }

  told(state, why) {
    if (state === "lost") {
      this.wasLost = true;
      this.banner.say("lost", `${why ? `No connection: ${line(why)}` : "Connection lost"}. Reconnecting …`);
    } else if (state === "drained") this.lookForReopening();
    else if (state === "refused") this.banner.say("bad", `The gateway refuses: ${line(why)}. Reload the page.`);
  }

  caughtUp() {
    if (this.wasLost) this.banner.pass(this.fresh ? `Resumed, ${count(this.fresh, "new event")}` : "Resumed");
    this.wasLost = false;
  }

  /** A closed session tells nothing more; somebody may reopen it. */
  async lookForReopening() {
    const { signal } = this.ending;
    if (this.wasLost) this.caughtUp();
    while (await pause(CLOSED_LOOK_MS, signal)) {
      if (document.hidden) continue;
      try {
        const resource = await call("GET", this.path, undefined, { signal });
        if (resource.view.phase !== "closed") return this.follow();
      } catch {
        // It is asked again.
      }
    }
  }

  async loadOlder() {
    const before = this.record.events[0]?.cursor;
    if (before === undefined || this.isLoading) return;
    this.isLoading = true;
    try {
      this.record.takeOlder(await call("GET", `${this.path}/events?limit=${PAGE}&before=${before}`));
      this.redraw();
    } catch (problem) {
      this.banner.pass(`What went before cannot be read: ${line(problem.title)}`);
    }
    this.isLoading = false;
  }

  /** Draw soon, once for all that has come until then. */
  redraw() {
    if (this.isStale) return;
    this.isStale = true;
    this.timer = setTimeout(() => this.draw(), 20);
  }

  draw() {
    clearTimeout(this.timer);
    this.isStale = false;
    if (this.record.resource === null || this.ending.signal.aborted) return;
    if (this.conversation.follows) this.record.trim();
    const { view, story, hasOlder } = this.record;
    this.header.update(this.record);
    this.conversation.update(this.record.items((id) => textOf(this.id, id)), hasOlder);
    this.question.update(view.asked);
    this.queue.update(view);
    this.box.update(view.phase);
    this.work.update(view, story.summary);
    this.tellPhase(view);
  }

  tellPhase(view) {
    const mark = view.asked ? "❓ " : view.phase === "waiting" || view.phase === "closed" ? "" : "● ";
    document.title = `${mark}${line(this.record.resource.title, 80)} · Overnight`;
    if (this.phase !== view.phase) announce(view.asked ? "The session asks a person" : `Session: ${view.phase}`);
    this.phase = view.phase;
  }
}
