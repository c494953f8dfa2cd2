// Shows an error where it was caused: title, detail, what to do, and the code for a search.

import { el, fill, show } from "/page/dom.js";
import { visible } from "/page/text.js";

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
  return [
    el("p.problem-title", {}, el("strong", {}, visible(problem.title || problem.message || "It failed")),
      problem.code ? el("code.problem-code", {}, visible(problem.code)) : null),
    detail ? el("p", {}, visible(detail)) : null,
    ...(problem.errors ?? []).map((error) => el("p", {}, visible(error))),
    problem.hint ? el("p.hint", {}, `What to do: ${visible(problem.hint)}`) : null,
  ];
}
