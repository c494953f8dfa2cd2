// Signs this browser in: by the ticket of `overnight open`, or by the gateway's token.

import { access, call, signIn } from "/page/api.js";
import { el, form, show } from "/page/dom.js";
import { problemPlace } from "/page/problem.js";

const TITLE = "Sign in · Overnight";

export class SignIn {
  constructor() {
    this.problem = problemPlace();
    this.token = el("input", { id: "token", type: "password", autocomplete: "off", required: true, spellcheck: "false" });
    this.send = el("button.primary", { type: "submit" }, "Sign in");
    this.element = el("main.sign-in", { hidden: true },
      el("h1", {}, "Overnight"),
      el("p", {}, "This browser is not signed in. In a terminal on the machine of the stack, type"),
      el("pre.command-line", {}, "overnight open"),
      el("p", {}, "It opens this page signed in. Or paste the gateway's token: it is in the file ",
        el("code", {}, "token"), " of the stack's data folder."),
      form("form", () => this.submit(), {},
        el("label", { for: "token" }, "Token"), el("div.sign-in-line", {}, this.token, this.send)),
      this.problem.element);
    access.addEventListener("signed-out", () => this.open());
    access.addEventListener("signed-in", () => this.leave());
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Redeem the ticket of `#ticket=…`, which leaves the address at once. */
  async redeem() {
    const found = /^#ticket=(.+)$/.exec(location.hash);
    if (!found) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    try {
      await signIn({ ticket: decoded(found[1]) });
    } catch (problem) {
      if (await this.isNeeded()) this.refuse(problem);
    }
  }

  /** Tell whether this browser is signed out, as far as that can be known. */
  async isNeeded() {
    try {
      await call("GET", "/sessions?limit=1");
    } catch (problem) {
      return problem.status === 401;
    }
    return false;
  }

  refuse(problem) {
    this.open();
    this.problem.set(problem);
  }

  open() {
    if (this.isOpen) return;
    show(this.element, true);
    document.getElementById("view").hidden = true;
    this.title = document.title;
    document.title = TITLE;
    this.token.focus();
  }

  leave() {
    show(this.element, false);
    document.getElementById("view").hidden = false;
    // The view may have named itself meanwhile.
    if (document.title === TITLE) document.title = this.title;
    this.token.value = "";
    this.problem.set(null);
  }

  async submit() {
    await this.prove({ token: this.token.value.trim() });
  }

  async prove(proof) {
    this.send.disabled = true;
    this.problem.set(null);
    try {
      await signIn(proof);
    } catch (problem) {
      this.refuse(problem);
    }
    this.send.disabled = false;
  }
}

/** Return a ticket as it was made; the gateway refuses one that is no ticket. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
