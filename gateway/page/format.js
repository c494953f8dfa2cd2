// Numbers, times and the words for states, as people read them; pure.

const UNITS = [[86_400, "d", 3_600, "h"], [3_600, "h", 60, "m"], [60, "m", 1, "s"]];

const REASONS = {
  finished: "finished",
  step_budget: "its steps are used up",
  time_budget: "its time is used up",
  token_budget: "its tokens are used up",
  cost_budget: "its money is used up",
  checks_failed: "the checks fail and it gets no further",
  stuck: "it went round in circles",
  rejected: "a person refused its proposal",
  interrupted: "stopped by a person",
  failed: "failed",
};

const VERDICTS = {
  green: ["green", "good"],
  no_worse: ["no worse than before", "warn"],
  unverified: ["not verified: a check could not be run", "warn"],
  unchecked: ["unchecked: the repository has no checks", "warn"],
  unchanged: ["nothing changed", ""],
  red: ["red", "bad"],
};

const OUTCOMES = {
  timeout: "timed out", stopped: "stopped", output_limit: "too much output", killed: "killed",
  lost: "lost with its sandbox",
};

/** Return seconds in their two largest units: `4.2s`, `3m07s`, `5h12m`. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(0, seconds).toFixed(1)}s`;
  const whole = Math.floor(seconds);
  const [size, unit, smaller, name] = UNITS.find(([least]) => whole >= least);
  const rest = String(Math.floor((whole % size) / smaller)).padStart(2, "0");
  return `${Math.floor(whole / size)}${unit}${rest}${name}`;
}

/** Return how long ago a moment was, in its largest unit. */
export function age(moment, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1_000);
  if (seconds < 60) return "now";
  const [size, unit] = UNITS.find(([least]) => seconds >= least);
  return `${Math.floor(seconds / size)}${unit}`;
}

/** Return a moment's local time of day, with seconds. */
export function clock(moment) {
  return new Date(moment).toLocaleTimeString([], { hour12: false });
}

/** Return a count with its noun. */
export function count(number, noun, plural = `${noun}s`) {
  return `${whole(number)} ${number === 1 ? noun : plural}`;
}

export function whole(number) {
  return number.toLocaleString("en");
}

/** Return a large count in short: `850`, `34.6k`, `1.2M`. */
export function short(number) {
  if (number < 1_000) return String(number);
  if (number < 1_000_000) return `${(number / 1_000).toFixed(number < 100_000 ? 1 : 0)}k`;
  return `${(number / 1_000_000).toFixed(1)}M`;
}

export function bytes(number) {
  if (number < 1_024) return count(number, "byte");
  if (number < 1_048_576) return `${(number / 1_024).toFixed(1)} KiB`;
  return `${(number / 1_048_576).toFixed(1)} MiB`;
}

export function money(dollars) {
  return `$${dollars.toFixed(dollars >= 1 ? 2 : 4)}`;
}

/** Return the cost, or the tokens where the price is unknown. */
export function used(usage) {
  if (usage.cost_usd !== null) return money(usage.cost_usd);
  return `${short(usage.input_tokens + usage.output_tokens)} tok`;
}

/** Return why a turn ended, in words. */
export function reason(name) {
  return REASONS[name] ?? name;
}

/** Return a verdict's words and its tone: `good`, `warn`, `bad` or none. */
export function verdict(name) {
  return VERDICTS[name] ?? [name, ""];
}

/** Return how a command ended and whether that is good. */
export function ended({ outcome, exit_code: code }) {
  if (outcome !== "exited") return [OUTCOMES[outcome] ?? outcome, "bad"];
  return code === null ? ["exit code unknown", "bad"] : [`exit ${code}`, code === 0 ? "good" : "bad"];
}

/** Return how many findings and tests there are of each kind, without what there is none of. */
export function judged(counts, tests, before) {
  const found = Object.entries(counts).filter(([, number]) => number)
    .map(([name, number]) => `${whole(number)} ${name.replace("_", "-")}`);
  const parts = found.length ? [`findings: ${found.join(", ")}`] : [];
  if (tests.passed + tests.failed) {
    parts.push(`tests: ${whole(tests.passed)} passed, ${whole(tests.failed)} failed`);
    if (before && before.passed + before.failed) {
      parts[parts.length - 1] += ` (before: ${whole(before.passed)}, ${whole(before.failed)})`;
    }
  }
  return parts.join(" · ");
}

/** Return the last part of a repository's address, for lists. */
export function repositoryName(url) {
  return url.replace(/\/+$/, "").split(/[/:]/).pop().replace(/\.git$/, "") || url;
}
