// What the session has made so far: verdict and findings, the proposal, the diff.

import { bytesOf, call } from "/page/api.js";
import { diffView } from "/page/diff.js";
import { button, chip, el, fill, scrolled } from "/page/dom.js";
import { bytes, count, duration, judged, verdict, whole } from "/page/format.js";
import { markdown } from "/page/markdown.js";
import { problemPlace } from "/page/problem.js";
import { line, visible } from "/page/text.js";

const MOST_FINDINGS = 200;
const MOST_DIFF = 2_000_000;
const NOT_JUDGED = new Set(["unchanged", "unchecked"]);

export class Work {
  constructor(session) {
    this.path = `/sessions/${session}`;
    this.checks = section("Checks", "Nothing was judged yet. The checks run when the model wants to finish.");
    this.proposal = section("Pull request", "Nothing was proposed yet.");
    this.changes = section("Changes", "No diff yet: it is kept when the checks judge the work.");
    this.element = el("aside.work", { "aria-label": "Work" },
      this.checks.element, this.proposal.element, this.changes.element);
    this.known = {};
  }

  /** Show what belongs to a view; `summary` is what the model says it did. */
  update(view, summary) {
    const { verdict: given, pull_request: proposal } = view;
    this.once("checks", [given, view.checks], () => this.showChecks(given, view.checks));
    this.once("proposal", [proposal?.commit, proposal?.revision, summary], () => this.showProposal(proposal, summary));
    this.once("changes", [given?.tree, proposal?.commit], () => this.showChanges(given, proposal));
  }

  once(name, facts, act) {
    const key = JSON.stringify(facts);
    if (this.known[name] === key) return;
    this.known[name] = key;
    act();
  }

  isStill(name, facts) {
    return this.known[name] === facts;
  }

  async showChecks(given, results) {
    const ran = results.map((result) => el("li", { "data-tone": /passed$/.test(result) ? "good" : "bad" }, line(result)));
    if (!given) return this.checks.put(ran.length ? el("ul.results", {}, ...ran) : null);
    const [word, tone] = verdict(given.verdict);
    const found = el("div.found");
    this.checks.put(
      el("p.verdict", {}, chip(tone, word), ` round ${given.round}`),
      given.why ? el("p", {}, visible(given.why)) : null,
      el("p.facts", {}, judged(given.counts, given.tests, given.tests_at_base)),
      ran.length ? el("ul.results", {}, ...ran) : null, found);
    if (given.counts.new + given.counts.changed + given.counts.persisting) await this.showFindings(found, given);
  }

  async showFindings(place, given) {
    const key = this.known.checks;
    fill(place, findingLines(given.shown));
    try {
      const report = await call("GET", `${this.path}/findings`);
      if (this.isStill("checks", key)) fill(place, findings(report));
    } catch (problem) {
      if (problem.code === "not_judged") return;
      place.append(el("p.hint", {}, `All findings cannot be read now: ${visible(problem.title)}`));
    }
  }

  async showProposal(proposal, summary) {
    if (!proposal) return this.proposal.put(null);
    const key = this.known.proposal;
    await this.reading(this.proposal, async () => {
      const record = await call("GET", `${this.path}/pull-request`);
      if (this.isStill("proposal", key)) this.proposal.put(...proposalParts(record, summary));
    });
  }

  async showChanges(given, proposal) {
    const address = this.diffAddress(given, proposal);
    if (address === null) return this.changes.put(null);
    const key = this.known.changes;
    await this.reading(this.changes, async () => {
      const diff = await bytesOf(address);
      if (!this.isStill("changes", key)) return;
      const all = el("a", { href: `/api/v1${address}`, download: "changes.diff" }, "the whole diff");
      const text = new TextDecoder().decode(diff.subarray(0, MOST_DIFF));
      const left = `Only the first ${bytes(MOST_DIFF)} of ${bytes(diff.length)} are here: `;
      this.changes.put(diff.length > MOST_DIFF ? el("p.cut", {}, left, all) : null,
        diffView(text, diff.length > MOST_DIFF ? null : `/api/v1${address}`));
    });
  }

  /** What checks have judged is kept by them; other work can be seen once it is proposed. */
  diffAddress(given, proposal) {
    if (given && !NOT_JUDGED.has(given.verdict)) return `${this.path}/diff`;
    return proposal ? `${this.path}/pull-request/diff` : null;
  }

  async reading(place, read) {
    place.problem.set(null);
    try {
      await read();
    } catch (problem) {
      if (["no_diff", "no_pull_request"].includes(problem.code)) place.put(null);
      else place.problem.set(problem, button("button", "Try again", () => this.reading(place, read)));
    }
  }
}

function section(title, otherwise) {
  const body = el("div.section-body", {}, el("p.empty", {}, otherwise));
  const problem = problemPlace();
  const element = el("section", { "aria-label": title }, el("h2", {}, title), problem.element, body);
  const put = (...parts) => fill(body, parts.flat().filter(Boolean).length ? parts : el("p.empty", {}, otherwise));
  return { element, problem, put };
}

function findings(report) {
  const shown = report.findings.slice(0, MOST_FINDINGS).map(findingPart);
  const hidden = report.findings.length - shown.length + report.left_out;
  const more = el("p.cut", {}, `${whole(hidden)} more are not shown here.`);
  return [el("ul.findings", {}, ...shown), hidden > 0 ? more : null];
}

function findingPart(finding) {
  const path = line(finding.path || finding.test_id, 200);
  const place = finding.path && finding.line ? `${path}:${finding.line}` : path;
  const facts = [...new Set([finding.check, finding.rule, finding.kind])].filter(Boolean);
  const more = scrolled("pre", "Details of the finding", {}, visible(finding.detail));
  return el("li", {},
    place ? el("code.place", {}, place) : null,
    el("span.message", {}, line(finding.message)),
    el("span.facts", {}, facts.map((each) => line(each, 80)).join(" · ")),
    finding.detail ? el("details", {}, el("summary", {}, "More"), more) : null);
}

function findingLines(shown) {
  return el("ul.findings", {}, ...shown.map((each) => el("li", {}, el("code", {}, line(each, 240)))));
}

function proposalParts(record, summary) {
  const [word, tone] = verdict(record.verdict);
  const copy = el("button", { type: "button" }, "Copy");
  // Browsers offer it to pages of this machine and of TLS only.
  copy.hidden = navigator.clipboard === undefined;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(record.merge_command);
    copy.textContent = "Copied";
  });
  const checks = record.checks.map((check) =>
    `${line(check.name, 60)} ${outcome(check)} (${duration(check.seconds)})`).join(", ");
  return [
    el("h3", {}, line(record.title, 200)),
    el("p", {}, chip(tone, record.draft ? `draft: ${word}` : word), checks ? ` ${checks}` : ""),
    summary ? el("div.md.body", {}, markdown(withoutTitle(summary, record.title))) : null,
    el("dl.facts-list", {},
      el("dt", {}, "Branch"), el("dd", {}, el("code", {}, line(record.branch, 200)), ` revision ${record.revision}`),
      el("dt", {}, "Merge"), el("dd", {}, el("code.merge", {}, line(record.merge_command, 2_000)), " ", copy)),
    el("p.facts", {}, count(record.files_changed, "file"), ` changed, +${whole(record.added)} −${whole(record.removed)}`),
  ];
}

function withoutTitle(summary, title) {
  return summary.startsWith(title) ? summary.slice(title.length).trimStart() : summary;
}

function outcome(check) {
  if (!check.runnable) return "could not be run";
  return check.passed ? "passed" : "failed";
}
