// A slim line that says how the connection is, and the place where a screen reader hears of states.

import { el, say, set, show } from "/page/dom.js";

const PASSING_MS = 5_000;

/** Tell a screen reader of a change of state; never of output. */
export function announce(text) {
  say(document.getElementById("status"), text);
}

export class Banner {
  constructor() {
    this.element = el("p.banner", { hidden: true });
  }

  say(tone, text) {
    clearTimeout(this.timer);
    set(this.element, "data-tone", tone);
    say(this.element, text);
    show(this.element, true);
    announce(text);
  }

  /** Show a text for some seconds. */
  pass(text) {
    this.say("good", text);
    this.timer = setTimeout(() => this.clear(), PASSING_MS);
  }

  clear() {
    clearTimeout(this.timer);
    show(this.element, false);
  }
}
