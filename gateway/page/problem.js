// Shows an error where it was caused: title, detail, what to do, and the code for a search.

import { el, fill, show } from "/page/dom.js";
import { visible } from "/page/text.js";

/** What people do on the page, where the gateway tells programs what to send. */
const HINTS = {
  session_unknown: "go back to the list of all sessions",
  session_closed: "reopen it with a prompt",
  session_open: "send it as a prompt",
  session_unrecoverable: "start a new session; the branch holds what was pushed",
  prompt_conflict: "send it once more, as a new prompt",
  prompt_not_waiting: "see which prompts still wait; a steering or interrupting one changes what is worked on",
  question_not_open: "look at what the session asks now, and decide anew",
  queue_full: "send it again when a turn has ended, or withdraw one that waits",
  model_missing: "name one in the field Model, such as anthropic/claude-sonnet-4-5, or set OVERNIGHT_MODEL",
  no_diff: "wait: a diff is kept when the checks judge the work, and with each proposal",
  no_output: "see the commands of the conversation",
  not_found: "go back to the list of all sessions",
  temporal_unavailable: "try again; if that lasts, look at `overnight up` and its logs",
  outcome_unknown: "look whether it was done; if not, do it again",
};

/** Make a place for an error; `set(problem)` shows it, `set(null)` hides it. */
export function problemPlace() {
  const element = el("div.problem", { role: "alert", hidden: true });
  function set(problem, ...more) {
    show(element, problem !== null);
    if (problem !== null) fill(element, ...parts(problem), ...more);
    else fill(element);
  }
  return { element, set };
}

/** Return the paragraphs of an error. */
export function parts(problem) {
  const detail = problem.detail ?? "";
  const hint = HINTS[problem.code] ?? problem.hint;
  return [
    el("p.problem-title", {}, el("strong", {}, visible(problem.title || problem.message || "It failed")),
      problem.code ? el("code.problem-code", {}, visible(problem.code)) : null),
    detail ? el("p", {}, visible(detail)) : null,
    ...(problem.errors ?? []).map((error) => el("p", {}, visible(error))),
    hint ? el("p.hint", {}, `What to do: ${visible(hint)}`) : null,
  ];
}
