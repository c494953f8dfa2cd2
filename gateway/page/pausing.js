// Pauses that end early when there is reason to hope: the page is seen again, the network is back,
// the gateway has answered somebody else.

const woken = new EventTarget();

/** End all pauses now. */
export function wake() {
  woken.dispatchEvent(new Event("wake"));
}

/** Call `handler` whenever pauses end early; returns what takes it back. */
export function onWake(handler) {
  woken.addEventListener("wake", handler);
  return () => woken.removeEventListener("wake", handler);
}

/** Wait so many milliseconds, or less; false when `signal` ended it. */
export function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    const forget = onWake(done);
    signal?.addEventListener("abort", done);
    function done() {
      clearTimeout(timer);
      forget();
      signal?.removeEventListener("abort", done);
      resolve(!signal?.aborted);
    }
    if (signal?.aborted) done();
  });
}

/** Pauses that double between two bounds, each cut by chance, so that clients do not come at once. */
export class Backoff {
  constructor(first, longest) {
    this.first = this.next = first;
    this.longest = longest;
  }

  reset() {
    this.next = this.first;
  }

  /** Return the milliseconds of the next pause; `longest` may be lower than the own bound. */
  take(longest = this.longest) {
    const found = Math.min(this.next, longest);
    this.next = Math.min(2 * found, this.longest);
    return found * (0.5 + Math.random() / 2);
  }
}

for (const name of ["online", "pageshow"]) window.addEventListener(name, wake);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") wake();
});
