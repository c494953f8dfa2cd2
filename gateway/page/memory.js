// What this tab remembers over reloads, and what this browser remembers for the next session.
// Without room or permission for it, nothing is remembered.

const PREFIX = "overnight.";
/** What is given up when there is no room for something else. */
export const EXPENDABLE = "sent";

let remembering = new AbortController();
/** Who holds what would be lost with this tab. */
const holders = new Set();

/** Remember a value for this tab; null forgets it. */
export function remember(name, value, storage = sessionStorage) {
  try {
    if (value === null) storage.removeItem(PREFIX + name);
    else store(PREFIX + name, JSON.stringify(value), storage);
  } catch (error) {
    console.info(`not remembered: ${error}`);
  }
}

/** Have the browser ask before the tab is closed or loaded anew, as long as any holder would lose something. */
export function guard(holder, isLosing) {
  if (isLosing) holders.add(holder);
  else holders.delete(holder);
  if (holders.size) window.addEventListener("beforeunload", ask);
  else window.removeEventListener("beforeunload", ask);
}

/** Return a signal that ends when all is forgotten: what was begun before is not done after it. */
export function untilForgotten() {
  return remembering.signal;
}

/** Return the rest of each name that is remembered for this tab and begins so. */
export function remembered(start) {
  const whole = PREFIX + start;
  try {
    return Object.keys(sessionStorage).filter((name) => name.startsWith(whole)).map((name) => name.slice(whole.length));
  } catch {
    return [];
  }
}

/** Forget all that was remembered for this tab. */
export function forgetAll() {
  remembering.abort();
  remembering = new AbortController();
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch (error) {
    console.info(`not forgotten: ${error}`);
  }
}

/** Return what was remembered, or `otherwise`. */
export function recall(name, otherwise, storage = sessionStorage) {
  try {
    return JSON.parse(storage.getItem(PREFIX + name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

function store(name, text, storage) {
  try {
    storage.setItem(name, text);
  } catch {
    storage.removeItem(PREFIX + EXPENDABLE);
    storage.setItem(name, text);
  }
}

function ask(event) {
  event.preventDefault();
}
