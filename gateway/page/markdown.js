// A small and inert subset of Markdown, for what models write: paragraphs, lists, code, emphasis,
// headings and links. Whatever else there is, HTML and pictures too, stays the text it is.

import { el, scrolled } from "/page/dom.js";
import { visible } from "/page/text.js";

const FENCE = /^\s{0,3}(```+|~~~+)[ \t]*([\w+#.-]*)\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const INLINE = new RegExp([
  /(`+)([^`][\s\S]*?)\1(?!`)/,
  /\*\*(?=\S)([^*]+?)\*\*/,
  /\[([^\][\n]{1,300})\]\((https?:\/\/[^\s()<>]{1,1000})\)/,
  /(https?:\/\/[^\s()<>"'`]{1,1000})/,
].map((each) => each.source).join("|"), "g");

/** Return the elements of a text. */
export function markdown(text) {
  const lines = visible(text).split("\n");
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = blockAt(lines, at);
    if (block !== null) blocks.push(block);
    at = next;
  }
  return blocks;
}

function blockAt(lines, at) {
  if (!lines[at].trim()) return [null, at + 1];
  const fence = FENCE.exec(lines[at]);
  if (fence) return code(lines, at, fence);
  const heading = HEADING.exec(lines[at]);
  if (heading) return [el("p.md-heading", {}, ...inline(heading[1])), at + 1];
  if (ITEM.test(lines[at])) return list(lines, at);
  return paragraph(lines, at);
}

function code(lines, at, [, mark, language]) {
  const isEnd = (text) => text.startsWith(mark) && !text.replaceAll(mark[0], "");
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end].trim())) end += 1;
  const block = scrolled("pre.md-code", "Code", {}, el("code", {}, lines.slice(at + 1, end).join("\n")));
  return [language ? el("div", {}, el("span.hint", {}, language), block) : block, end + 1];
}

function list(lines, at) {
  const isOrdered = isNumber(ITEM.exec(lines[at])[2]);
  const made = el(isOrdered ? "ol" : "ul");
  let end = at;
  while (end < lines.length && lines[end].trim() && !FENCE.test(lines[end])) {
    const item = ITEM.exec(lines[end]);
    if (item && isNumber(item[2]) !== isOrdered) break;
    const value = isOrdered && item ? Number.parseInt(item[2], 10) : null;
    if (item) made.append(el(item[1].length > 1 ? "li.deep" : "li", { value }, ...inline(item[3])));
    else made.lastChild.append("\n", ...inline(lines[end].trim()));
    end += 1;
  }
  return [made, end];
}

function isNumber(mark) {
  return /\d/.test(mark);
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && isParagraph(lines[end])) end += 1;
  return [el("p", {}, ...inline(lines.slice(at, end).join("\n"))), end];
}

function isParagraph(text) {
  return Boolean(text.trim()) && !FENCE.test(text) && !ITEM.test(text) && !HEADING.test(text);
}

function inline(text) {
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parts.push(text.slice(at, found.index), part(found));
    at = found.index + found[0].length;
  }
  parts.push(text.slice(at));
  return parts.filter((each) => each !== "");
}

function part([all, , inCode, bold, label, target, bare]) {
  if (inCode !== undefined) return el("code", {}, inCode.trim() || inCode);
  if (bold !== undefined) return el("strong", {}, bold);
  if (label !== undefined) return el("span", {}, label, " (", link(target), ")");
  return bare !== undefined ? link(bare) : all;
}

/** A link shows where it leads: its text is its target. */
function link(target) {
  if (!URL.canParse(target)) return target;
  return el("a.outside", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, target);
}
