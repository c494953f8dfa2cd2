// Makes text that others wrote safe to look at: what has no shape of its own, or changes the order
// of what stands around it, is shown as its code point.

// Controls, formats (all bidirectional ones among them), surrogates, private and unassigned
// characters; separators of lines; fillers and tags that look like nothing.
const ODD = /[\p{C}\u2028\u2029\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\u{e0100}-\u{e01ef}]/gu;

/** Return a text of any number of lines; tabs and line ends stay. */
export function visible(text) {
  return String(text).replace(/\r\n/g, "\n").replace(ODD, (odd) =>
    odd === "\n" || odd === "\t" ? odd : named(odd));
}

/** Return a text as one line; `limit` is in characters. */
export function line(text, limit = 500) {
  const flat = visible(String(text).slice(0, 4 * limit).replace(/\s+/g, " ").trim());
  const characters = Array.from(flat);
  return characters.length > limit ? `${characters.slice(0, limit - 1).join("")}…` : flat;
}

function named(character) {
  const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return `⟨U+${code}⟩`;
}
