// What this tab remembers over reloads, and what this browser remembers for the next session.
// Without room or permission for it, nothing is remembered.

const PREFIX = "overnight.";

/** Remember a value for this tab; null forgets it. */
export function remember(name, value, storage = sessionStorage) {
  try {
    if (value === null) storage.removeItem(PREFIX + name);
    else storage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (error) {
    console.info(`not remembered: ${error}`);
  }
}

/** Forget all that was remembered for this tab. */
export function forgetAll() {
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
