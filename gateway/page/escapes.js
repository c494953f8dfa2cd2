// Splits output into text, line ends and colours; every other escape sequence and control
// character is left out (ECMA-48 in its 7-bit and 8-bit form). What is cut into pieces anywhere
// comes out as if it were whole.

/** An unfinished sequence ends after so many characters, lest it hides what follows. */
const LONGEST = 4_096;

const PLAIN = /[^\x00-\x08\x0a-\x1f\x7f-\x9f]+/y;
const STRINGS = "\x90\x98\x9d\x9e\x9f";
const ESCAPED_STRINGS = "PX]^_";
const STATES = { text: inText, escape: inEscape, csi: inCsi, string: inString, ending: inEnding };

/** Tokens are `{text}`, `{end: true}` for a line end, `{home: true}` for CR, `{colour: "31;1"}`. */
export class Escapes {
  constructor() {
    this.state = "text";
    this.collected = "";
  }

  *feed(text) {
    let at = 0;
    while (at < text.length) {
      PLAIN.lastIndex = at;
      const plain = this.state === "text" ? PLAIN.exec(text) : null;
      if (plain !== null) {
        yield { text: plain[0] };
        at = PLAIN.lastIndex;
      } else {
        const token = this.control(text[at]);
        if (token !== null) yield token;
        at += 1;
      }
    }
  }

  control(character) {
    if (character === "\n" || character === "\r") {
      this.begin("text");
      return character === "\n" ? { end: true } : { home: true };
    }
    const before = this.state;
    const after = STATES[before](character);
    if (before === "csi" && after === "text") return this.sequence(character);
    if (after !== before) this.begin(after);
    else this.collected += character;
    if (this.collected.length > LONGEST) this.begin("text");
    // What is no part of any sequence ended one, and is shown.
    return before !== "text" && after === "text" && character >= "\xa0" ? { text: character } : null;
  }

  sequence(final) {
    const parameters = this.collected;
    this.begin("text");
    if (final === "m" && /^[0-9;:]*$/.test(parameters)) return { colour: parameters };
    return final >= "\xa0" ? { text: final } : null;
  }

  begin(state) {
    this.state = state;
    this.collected = "";
  }
}

function inText(character) {
  if (character === "\x1b") return "escape";
  if (character === "\x9b") return "csi";
  return STRINGS.includes(character) ? "string" : "text";
}

function inEscape(character) {
  if (character === "[") return "csi";
  if (ESCAPED_STRINGS.includes(character)) return "string";
  return character >= " " && character <= "/" ? "escape" : inText(character);
}

function inCsi(character) {
  return character >= " " && character <= "?" ? "csi" : inText(character);
}

function inString(character) {
  if (character === "\x07" || character === "\x9c") return "text";
  return character === "\x1b" ? "ending" : "string";
}

function inEnding(character) {
  return character === "\\" ? "text" : inEscape(character);
}
