// The keyboard: one letter each, unless somebody types.

import { button, el } from "/page/dom.js";

const HELP = [
  ["j, k", "next and previous session in the list"], ["Enter", "open the session that has the focus"],
  ["c or /", "write: a task in the list, a prompt in a session"], ["u", "back to the list"],
  ["End or G", "jump to the newest of the conversation"], ["Esc", "leave a field, close this"], ["?", "this help"],
  ["Enter", "in a prompt: queue it; Shift+Enter begins a new line"],
  ["Ctrl+Enter", "in a prompt: steer with it, before the next reply of the model"],
];

const CUT_OFF_MS = 1_000;

/** What has an end of its own to scroll to; the conversation's is the one that is meant by the key. */
const SCROLLERS = "[tabindex='0']:not(.scroller), .work";

/** Make the help dialog and listen; `act` has `compose`, `move(steps)`, `back`, `newest` and `hasNewest`. */
export function keyboard(act) {
  const close = button("button", "Close", () => help.close());
  const help = el("dialog.help", { "aria-labelledby": "help-title" }, el("h2", { id: "help-title" }, "Keyboard"),
    el("dl", {}, ...HELP.map(([key, does]) => el("div", {}, el("dt", {}, key), el("dd", {}, does)))), close);
  const letters = {
    j: () => act.move(1), k: () => act.move(-1), c: act.compose, "/": act.compose, u: act.back,
    G: act.newest, End: act.newest, "?": () => help.showModal(),
  };
  let field = null;
  let typedAt = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (isTyping(event.target)) {
      [field, typedAt] = [event.target, event.timeStamp];
      if (event.key === "Escape") field.blur();
      return;
    }
    // What is meant for a field that was taken away under the hands is none of these letters.
    if (field !== null && !field.isConnected && event.timeStamp - typedAt < CUT_OFF_MS) {
      typedAt = event.timeStamp;
      return;
    }
    const letter = letters[event.key];
    if (!letter || (event.key === "End" && !(act.hasNewest() && !event.target.closest(SCROLLERS)))) return;
    event.preventDefault();
    letter();
  });
  return help;
}

function isTyping(target) {
  return target.matches("input, textarea, select");
}
