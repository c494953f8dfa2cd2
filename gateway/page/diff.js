// Shows a diff as `git diff` prints it: a part for each file, its lines made only when it is open.

import { el, say, scrolled } from "/page/dom.js";
import { bytes, whole } from "/page/format.js";
import { line as oneLine, visible } from "/page/text.js";

const MOST_BYTES = 2_000_000;
const OPEN_LINES = 400;
const MOST_LINES = 5_000;
const LONGEST = 2_000;
const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/**
 * Take a diff apart: `[{path, added, removed, size, isCut, lines: [{kind, old, new, text}]}]`; pure.
 *
 * Of a file's `size` lines, and of what is in each, only as much is kept as is shown.
 */
export function files(text) {
  const found = [];
  let place = null;
  for (const each of text.split("\n")) {
    if (each.startsWith("diff --git ")) {
      place = { old: 0, new: 0, inHunk: false };
      found.push({ path: named(each), added: 0, removed: 0, size: 0, isCut: false, lines: [] });
    } else if (place !== null) take(found.at(-1), place, each);
  }
  return found;
}

/**
 * Return the element of a diff; the first files are open as far as they are short.
 *
 * Where not all of it is shown, it links to the whole diff, if there is an address of that.
 */
export function diffView(text, address = null) {
  return view(files(text), address, "").element;
}

/** Show the bytes of a diff: `{element, link}`; `link` leads to all of it, null when all is shown. */
export function shownDiff(diff, address) {
  const isLong = diff.length > MOST_BYTES;
  const left = `Only the first ${bytes(MOST_BYTES)} of ${bytes(diff.length)} are here: `;
  return view(files(new TextDecoder().decode(diff.subarray(0, MOST_BYTES))), address, isLong ? left : "");
}

function view(all, address, left) {
  const isCut = left || all.some((file) => file.isCut);
  const link = isCut && address ? el("a", { href: address, download: "changes.diff" }, "the whole diff") : null;
  let open = OPEN_LINES;
  const parts = all.map((file) => {
    open -= file.size;
    return fileView(file, open >= 0);
  });
  const element = el("div.diff", {}, link && el("p.cut", {}, left || "Not all of it is shown here: ", link),
    ...(parts.length ? parts : [el("p.empty", {}, "The diff is empty.")]));
  return { element, link };
}

function take(file, place, text) {
  const hunk = HUNK.exec(text);
  if (hunk) {
    Object.assign(place, { old: Number(hunk[1]), new: Number(hunk[2]), inHunk: true });
    add(file, { kind: "hunk", text });
  } else if (place.inHunk) changed(file, place, text);
  else if (/^\+\+\+ "?b\//.test(text)) file.path = unquoted(text.slice(4).replace(/\t$/, "")).slice(2);
  else if (/^(new file|deleted file|rename|similarity|old mode|new mode|Binary)/.test(text)) {
    add(file, { kind: "fact", text });
    const renamed = /^rename to (.*)$/.exec(text);
    if (renamed) file.path = unquoted(renamed[1]);
  }
}

function changed(file, place, text) {
  const mark = text[0];
  const content = text.slice(1);
  if (mark === "+") {
    file.added += 1;
    add(file, { kind: "added", new: place.new++, text: content });
  } else if (mark === "-") {
    file.removed += 1;
    add(file, { kind: "removed", old: place.old++, text: content });
  } else if (mark === " ") {
    add(file, { kind: "same", old: place.old++, new: place.new++, text: content });
  } else if (mark === "\\") add(file, { kind: "fact", text: content.trim() });
}

function add(file, line) {
  file.size += 1;
  const isLong = line.text.length > LONGEST;
  file.isCut ||= isLong || file.size > MOST_LINES;
  if (file.size > MOST_LINES) return;
  file.lines.push(isLong ? { ...line, text: `${line.text.slice(0, LONGEST)} … the line goes on` } : line);
}

function fileView(file, isOpen) {
  const counts = el("span.counts", {}, el("span.plus", {}, `+${whole(file.added)}`), " ",
    el("span.minus", {}, `−${whole(file.removed)}`));
  const body = scrolled("div.diff-lines", "Changed lines");
  const view = el("details.file", {}, el("summary", {}, el("bdi.path", {}, oneLine(file.path, 300)), counts), body);
  view.addEventListener("toggle", () => {
    if (view.open && !body.firstChild) body.append(...rows(file));
  });
  view.open = isOpen;
  return view;
}

function rows({ lines, size }) {
  const left = size - lines.length;
  return [
    ...lines.map((each) => el(`div.diff-row.${each.kind}`, {}, number(each.old), number(each.new),
      el("span.sign", {}, sign(each.kind)), el("span.text", {}, visible(each.text)))),
    ...(left ? [el("p.cut", {}, `${whole(left)} more lines are not shown here.`)] : []),
  ];
}

function number(value) {
  const place = el("span.number");
  say(place, value === undefined ? "" : String(value));
  return place;
}

function sign(kind) {
  return { added: "+", removed: "−" }[kind] ?? " ";
}

function named(head) {
  const quoted = /"b\/((?:[^"\\]|\\.)*)"$/.exec(head);
  if (quoted) return unquoted(`"${quoted[1]}"`);
  // But for a rename, which says it again, both halves have the same name, whatever is in it.
  const halves = head.slice("diff --git ".length);
  const name = halves.slice(2, (halves.length - 1) / 2);
  return halves === `a/${name} b/${name}` ? name : head.slice(head.lastIndexOf(" b/") + 3);
}

/** Undo git's quoting of odd file names: octal bytes in UTF-8, and C escapes. */
function unquoted(name) {
  if (!name.startsWith('"')) return name;
  const escapes = { n: 10, t: 9, r: 13, a: 7, b: 8, v: 11, f: 12 };
  const parts = name.slice(1, -1).match(/\\[0-7]{3}|\\.|[^\\]+/g) ?? [];
  const encoded = parts.flatMap((part) => {
    if (/^\\[0-7]{3}$/.test(part)) return [Number.parseInt(part.slice(1), 8)];
    if (part.startsWith("\\")) return [escapes[part[1]] ?? part.charCodeAt(1)];
    return [...new TextEncoder().encode(part)];
  });
  return new TextDecoder().decode(new Uint8Array(encoded));
}
