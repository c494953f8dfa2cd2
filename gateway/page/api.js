// Speaks to the gateway's REST interface, by the cookie that the sign-in set.

import { Backoff, pause, wake } from "/page/pausing.js";

const BASE = "/api/v1";
const PATIENCE_MS = 10_000;
const BYTES_PATIENCE_MS = 60_000;
const LATER = new Set([0, 408, 425, 429, 502, 503, 504]);

/** Whether a request was refused for want of a sign-in, and none followed. */
let isOut = false;
let signIns = 0;

/** Tells of `signed-out`, when a request was refused for want of a sign-in, and `signed-in`. */
export const access = new EventTarget();

/** An error of the interface: title, detail, hint and code as RFC 9457 has them. */
export class ApiProblem extends Error {
  constructor(problem) {
    super(problem.title);
    Object.assign(this, { title: "", detail: "", hint: "", code: "", status: 0, errors: [] }, problem);
  }

  /** Whether the very same request may succeed later. */
  get isPassing() {
    return LATER.has(this.status);
  }
}

/**
 * Make one request; returns the JSON of the answer, or its text.
 *
 * Throws ApiProblem, also when the answer is not here, to its end, within 10 s.
 */
export function call(method, path, body, { headers = {}, signal, isProof = false } = {}) {
  const options = {
    method,
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: joined(signal, PATIENCE_MS),
  };
  return fetched(path, options, content, isProof);
}

/** Make a request for bytes; `range` as RFC 9110 has it. Throws ApiProblem, after 60 s at the latest. */
export function bytesOf(path, { range, signal } = {}) {
  const options = { headers: range ? { range } : {}, signal: joined(signal, BYTES_PATIENCE_MS) };
  return fetched(path, options, async (answer) => new Uint8Array(await answer.arrayBuffer()));
}

/** Return when somebody has signed in, at once if so already, or when `signal` ended the wait. */
export function signedIn(signal) {
  return new Promise((resolve) => {
    if (!isOut) return resolve();
    access.addEventListener("signed-in", resolve, { once: true, signal });
    signal?.addEventListener("abort", resolve, { once: true });
  });
}

/**
 * Make a request until it is answered for good: it has an id of its own and is done once.
 *
 * `onPutOff(problem)` is called for each attempt that has to be repeated. Throws ApiProblem when
 * it is refused; returns undefined when `signal` ended it.
 */
export function persist(method, path, body, { onPutOff, signal } = {}) {
  return persistently(() => call(method, path, body, { signal }), { onPutOff, signal });
}

/** Do what makes a request, `attempt()`, until it is answered for good; as `persist`. */
export async function persistently(attempt, { onPutOff, signal } = {}) {
  const backoff = new Backoff(500, 2_000);
  while (!signal?.aborted) {
    try {
      return await attempt();
    } catch (problem) {
      if (!(problem instanceof ApiProblem)) throw problem;
      if (problem.status !== 401 && !problem.isPassing) throw problem;
      if (signal?.aborted) break;
      if (problem.status === 0) problem.hint = `it is tried again by itself; ${problem.hint}`;
      onPutOff?.(problem);
      if (problem.status === 401) await signedIn(signal);
    }
    await pause(backoff.take(), signal);
  }
  return undefined;
}

/** Sign in with `{token}` or `{ticket}`; throws ApiProblem. */
export async function signIn(proof) {
  await call("POST", "/browser", proof, { isProof: true });
  isOut = false;
  signIns += 1;
  access.dispatchEvent(new Event("signed-in"));
  wake();
}

export async function signOut() {
  await call("DELETE", "/browser");
  tellOut();
}

/** Return what `read` makes of an answer. One that is cut off says as little as none. */
async function fetched(path, options, read, isProof = false) {
  const asked = isProof ? null : signIns;
  let answer;
  try {
    answer = await fetch(BASE + path, { ...options, cache: "no-store", redirect: "error" });
    if (answer.ok) return await read(answer);
  } catch {
    throw new ApiProblem({
      title: "The gateway does not answer",
      detail: `${answer ? "the answer was cut off: it came" : "no answer"} from ${location.host}`,
      code: "gateway_unreachable",
      hint: "if it does not run, start it with: overnight up",
    });
  }
  throw await refused(answer, asked);
}

function content(answer) {
  if (answer.status === 204) return null;
  const kind = answer.headers.get("content-type") ?? "";
  return kind.startsWith("application/json") ? answer.json() : answer.text();
}

function tellOut() {
  isOut = true;
  access.dispatchEvent(new Event("signed-out"));
}

async function refused(answer, asked) {
  let problem = {};
  try {
    problem = await answer.json();
  } catch {
    // Something between this page and the gateway has answered.
  }
  // What was asked before the last sign-in, and a proof that is refused, say nothing of it.
  if (answer.status === 401 && asked === signIns) tellOut();
  return new ApiProblem({ title: `HTTP ${answer.status}`, ...problem, status: answer.status });
}

function joined(signal, milliseconds) {
  const patience = AbortSignal.timeout(milliseconds);
  return signal ? AbortSignal.any([signal, patience]) : patience;
}
