// The conversation of a session: follows its newest end until the person scrolls up, and gets older
// pages on demand.

import { KeyedList, button, el, scrolled, show } from "/page/dom.js";
import { part } from "/page/items.js";

const NEAR_END = 48;

export class Conversation {
  /** `loadOlder()` gets the page before; it is asked for by a button. */
  constructor(session, loadOlder) {
    this.items = el("div.items");
    this.older = button("button.older", "Show what went before", loadOlder, { hidden: true });
    this.jump = button("button.jump", "Jump to newest ↓", () => this.toEnd(), { hidden: true });
    this.scroller = scrolled("div.scroller", "Conversation, newest last", {}, this.older, this.items);
    this.element = el("section.conversation", { "aria-label": "Conversation" }, this.scroller, this.jump);
    this.list = new KeyedList(this.items, (item) => part(session, item));
    this.follows = true;
    this.scroller.addEventListener("scroll", () => this.scrolled());
    // What grows later, such as output, moves the end too.
    this.growing = new ResizeObserver(() => this.keepEnd());
    this.growing.observe(this.items);
    this.growing.observe(this.scroller);
  }

  update(items, hasOlder) {
    const first = this.items.firstElementChild;
    const before = first?.getBoundingClientRect().top ?? 0;
    show(this.older, hasOlder);
    this.list.update(items);
    this.keepEnd();
    if (!this.follows && first?.isConnected) this.scroller.scrollTop += first.getBoundingClientRect().top - before;
  }

  /** Return the card of a command that is shown. */
  card(command) {
    return this.list.parts.get(`command:${command}`)?.card;
  }

  toEnd() {
    this.follows = true;
    this.keepEnd();
    this.scroller.focus({ preventScroll: true });
  }

  close() {
    this.growing.disconnect();
    this.list.close();
  }

  keepEnd() {
    if (this.follows) this.scroller.scrollTop = this.scroller.scrollHeight;
    show(this.jump, !this.follows);
  }

  scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - NEAR_END;
    // Something that grew has not moved the view yet; only a person scrolls up.
    const wentUp = scrollTop < (this.lastTop ?? 0);
    this.lastTop = scrollTop;
    if (isAtEnd) this.follows = true;
    else if (wentUp) this.follows = false;
    show(this.jump, !this.follows);
  }
}
