// Short lines for the events that are no part of the conversation itself; pure.

import { count, duration, judged } from "/page/format.js";
import { line } from "/page/text.js";

/**
 * Return `{text, more, tone}` of an event; null when nothing is shown of it.
 *
 * Of two with one `key` the later is shown, in the place of the first.
 */
export function told(event) {
  const note = NOTES[event.kind]?.(event) ?? null;
  return typeof note === "string" ? { text: note, more: [], tone: "" } : note && { more: [], tone: "", ...note };
}

const OPENED = {
  created: "new", attached: "still there", restarted: "restarted: what ran in it is lost, its files are kept",
};

const NOTES = {
  "session.started": (event) => `session started on ${line(event.branch)} of ${line(event.repository.url)}`,
  "session.reopened": (event) => `session reopened on ${line(event.branch)}`,
  "session.configured": configured,
  "decision.made": (event) => ({ text: answer(event), tone: "decision", key: answerKey(event) }),
  "decision.refused": (event) => ({
    text: `${answer(event)} (did not count: ${line(event.reason)})`, tone: "warn", key: answerKey(event),
  }),
  "interrupt.requested": (event) => because("asked to stop", event.reason),
  "close.requested": (event) => because("asked to close the session", event.reason),
  "file.used": (event) => ({ text: line(event.excerpt, 300), tone: event.ok ? "touched" : "bad" }),
  "sandbox.opening": (event) => ({ text: "opening the sandbox …", key: `sandbox:${event.generation}` }),
  "sandbox.opened": (event) => ({
    text: `sandbox ${OPENED[event.how] ?? event.how} ` +
      `(${line(event.provider)}${setUp(event)}) in ${duration(event.seconds)}`,
    tone: event.how === "restarted" ? "warn" : "",
    key: event.how === "created" ? `sandbox:${event.generation}` : undefined,
  }),
  "sandbox.closed": () => "sandbox closed",
  "checks.found": (event) =>
    `checks: ${line(event.checks.map((check) => check.name).join(", ")) || "none"} (${line(event.source)})`,
  "baseline.started": (event) => ({
    text: `running the checks on what was there before, at ${event.commit.slice(0, 12)} …`,
    key: `baseline:${event.commit}`,
  }),
  "baseline.ready": (event) => ({
    text: `checks before the work: ${line(event.checks.join(", ")) || "none"}`, key: `baseline:${event.commit}`,
  }),
  "quick.checked": (event) => ({
    text: `quick check of the edit: ${event.findings ? count(event.findings, "finding") : "no findings"} ` +
      `in ${duration(event.seconds)}`,
    more: event.shown.map((each) => line(each)),
    tone: event.findings ? "bad" : "",
  }),
  "files.mended": (event) => `mended by the checks' own fixers: ${line(event.files.join(", "))}`,
  "transcript.compacted": (event) =>
    `the transcript was summed up: ${event.messages_before} → ${event.messages} messages`,
  "work.exported": (event) => `work taken out of the sandbox${event.changed ? "" : ": nothing has changed"}`,
  "session.closed": (event) => because("session closed", event.reason),
  "session.broken": (event) => ({ text: because("session broke", event.reason), tone: "bad" }),
};

/** Return the line of a judgement. */
export function judgement(event) {
  const words = judged(event.counts, event.tests, event.tests_at_base);
  return `Work judged, round ${event.round}${words ? `: ${words}` : ": no findings"}`;
}

function configured(event) {
  const parts = event.model ? [`model ${line(event.model)}`] : [];
  if (event.fallbacks !== null) parts.push(`else ${line(event.fallbacks.join(", ")) || "no other"}`);
  if (event.budget !== null) parts.push(`${event.budget.steps} steps and ${event.budget.minutes} minutes a turn`);
  return `from now on: ${parts.join(", ")}`;
}

function answer(event) {
  if (!event.approved) return because("a person refused it", event.text);
  return event.text ? `a person answered: ${line(event.text, 1_000)}` : "a person allowed it";
}

/** The very same answer, repeated, is one. */
const answerKey = ({ question, approved, text }) => `answer:${question}:${approved}:${text}`;

function setUp(event) {
  return event.setup === "none" ? "" : `, set-up ${event.setup}`;
}

function because(what, reason) {
  return reason ? `${what}: ${line(reason)}` : what;
}
