// What this tab remembers over reloads, and what this browser remembers for the next session.
// Without room or permission for it, nothing is remembered.

const PREFIX = "overnight.";

let remembering = new AbortController();

/** Remember a value for this tab; null forgets it. */
export function remember(name, value, storage = sessionStorage) {
  try {
    if (value === null) storage.removeItem(PREFIX + name);
    else storage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (error) {
    console.info(`not remembered: ${error}`);
  }
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
