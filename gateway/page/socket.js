// Follows one session over any number of connections: reads, never writes but to ask for more.
// A connection that may be dead is tried at once when the page is seen again or the network is back.

import { call, signedIn } from "/page/api.js";
import { unpack } from "/page/frames.js";
import { Backoff, onWake, pause, wake } from "/page/pausing.js";

const PROTOCOL = "overnight.v1";
const OPEN_MS = 5_000;
const QUIET_MS = 20_000;
const PROBE_MS = 2_000;
const FIRST_MS = 500;
const LONGEST_MS = 15_000;
/** While somebody looks, the next attempt is never further away. */
const WATCHED_MS = 1_200;

const DRAINED = 1_000;
/** From this code on, the reason is the gateway's own; those below say how a connection broke. */
const FIRST_TOLD = 1_011;
const FINAL = new Set([1_003, 1_007, 4_400, 4_404, 4_409]);

/**
 * `take(message)` gets each text message, `takeOutput(message)` each binary one;
 * `tell(state, why)` gets `live`, `lost`, `drained` (the session is closed) or `refused`; `why` is
 * what the gateway says about it, if it does.
 */
export class Following {
  constructor(session, place, { take, takeOutput, tell }) {
    this.session = session;
    this.place = place;
    this.handlers = { take, takeOutput, tell };
    this.ending = new AbortController();
    this.forget = onWake(() => this.probe());
    this.socket = null;
    this.run();
  }

  close() {
    this.ending.abort();
    this.forget();
    this.socket?.close();
  }

  /** Find out whether the connection still lives; one that does not answer is given up. */
  probe() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.ping(PROBE_MS);
  }

  async run() {
    const { signal } = this.ending;
    const backoff = new Backoff(FIRST_MS, LONGEST_MS);
    while (!signal.aborted) {
      const { code, reason, greeted } = await this.connection();
      if (signal.aborted) return;
      if (code === DRAINED) return this.handlers.tell("drained", "");
      if (FINAL.has(code)) return this.handlers.tell("refused", reason || `closed with ${code}`);
      if (greeted) backoff.reset();
      this.handlers.tell("lost", code >= FIRST_TOLD ? reason : "");
      if (!greeted && !(await this.isThere())) return;
      await pause(backoff.take(document.hidden ? LONGEST_MS : WATCHED_MS), signal);
    }
  }

  /** Open a connection and stay until it ends; returns how it ended. */
  connection() {
    return new Promise((resolve) => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const path = `/api/v1/sessions/${encodeURIComponent(this.session)}/ws`;
      const socket = new WebSocket(`${scheme}://${location.host}${path}`, [PROTOCOL]);
      socket.binaryType = "arraybuffer";
      this.socket = socket;
      let greeted = false;
      const end = (code, reason) => {
        clearTimeout(this.timer);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        resolve({ code, reason, greeted });
      };
      this.giveUp = () => end(0, "the gateway is silent");
      socket.onclose = (event) => end(event.code, event.reason);
      socket.onopen = () => socket.send(JSON.stringify(this.place.subscription()));
      socket.onmessage = (event) => {
        if (!greeted) this.greeted();
        greeted = true;
        this.heard();
        try {
          this.message(event.data);
        } catch (error) {
          // What is missing or not understood is asked for again, from the last place that is sure.
          console.warn(error);
          end(0, String(error));
        }
      };
      this.watch(OPEN_MS, this.giveUp);
    });
  }

  greeted() {
    this.handlers.tell("live", "");
    wake();
  }

  message(data) {
    if (typeof data !== "string") return this.handlers.takeOutput(unpack(data));
    const message = JSON.parse(data);
    if (message.type !== "pong") this.handlers.take(message);
  }

  heard() {
    this.watch(QUIET_MS, () => this.ping(PROBE_MS * 2));
  }

  ping(patience) {
    this.socket.send('{"type":"ping"}');
    this.watch(patience, this.giveUp);
  }

  watch(milliseconds, act) {
    clearTimeout(this.timer);
    this.timer = setTimeout(act, milliseconds);
  }

  /** Tell whether there still is such a session that may be read: a handshake does not say. */
  async isThere() {
    try {
      await call("GET", `/sessions/${encodeURIComponent(this.session)}`);
    } catch (problem) {
      if (problem.status === 404) this.handlers.tell("refused", problem.title);
      if (problem.status === 401) await signedIn(this.ending.signal);
      return problem.status !== 404;
    }
    return true;
  }
}
