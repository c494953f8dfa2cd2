// The page's beginning: which view an address shows, the sign-in in front of it, the keyboard.

import { access, signOut } from "/page/api.js";
import { el } from "/page/dom.js";
import { keyboard } from "/page/keys.js";
import { ListView } from "/page/list.js";
import { forgetAll } from "/page/memory.js";
import { resumeSending } from "/page/outbox.js";
import { problemPlace } from "/page/problem.js";
import { SessionView } from "/page/session.js";
import { SignIn } from "/page/signin.js";

const SESSION = /^\/s\/([a-z0-9-]{1,40})$/;

const trouble = problemPlace();
let shown = null;
let path = "";

const place = el("div.place", { id: "view" });
const signIn = new SignIn();
const leave = el("button.quiet", { type: "button", on: { click: () => end() } }, "Sign out");
const help = keyboard({
  compose: () => shown?.focusComposer(),
  move: (steps) => shown?.move?.(steps),
  back: () => go("/"),
  newest: () => shown?.newest?.(),
  hasNewest: () => Boolean(shown?.newest),
});
const bar = el("nav.bar", { "aria-label": "Overnight" },
  el("a.home", { href: "/" }, "Overnight"),
  el("button.quiet", { type: "button", on: { click: () => help.showModal() } }, "Keys"), leave);

function go(to) {
  history.pushState(null, "", to);
  display();
}

/** Sign out, and leave nothing of any session in the page. */
async function end() {
  trouble.set(null);
  try {
    await signOut();
  } catch (problem) {
    if (problem.status !== 401) return trouble.set({ ...problem, title: `You are still signed in: ${problem.title}` });
  }
  shown?.close();
  shown = null;
  place.replaceChildren();
  forgetAll();
}

function display() {
  shown?.close();
  path = location.pathname;
  const session = SESSION.exec(path);
  shown = session ? new SessionView(session[1]) : new ListView(go);
  trouble.set(null);
  place.replaceChildren(bar, trouble.element, shown.element);
}

/** Links to this page change the view; what a person opens elsewhere is opened there. */
function followed(event) {
  const link = event.target.closest?.("a[href^='/']");
  if (!link || link.hasAttribute("download") || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
}

document.addEventListener("click", followed);
window.addEventListener("popstate", () => location.pathname === path || display());
window.addEventListener("hashchange", () => signIn.redeem());
access.addEventListener("signed-in", () => shown ?? display());
document.getElementById("app").append(signIn.element, place, help);
await signIn.redeem();
resumeSending();
if (shown === null) display();
