// What remains of select-graphic-rendition sequences: classes for 16 foreground colours, bold,
// italic and underline. Backgrounds, dimming and concealing are dropped: they can hide text.

const ATTRIBUTES = { 1: "bold", 3: "italic", 4: "underline" };
const ENDS = { 22: "bold", 23: "italic", 24: "underline" };

export class Colours {
  constructor() {
    this.colour = "";
    this.marks = new Set();
  }

  /** The classes of what is printed now; empty when it is plain. */
  get classes() {
    return [this.colour, ...this.marks].filter(Boolean).join(" ");
  }

  /** Take the parameters of one sequence. */
  take(parameters) {
    const codes = parameters.split(/[;:]/).map(Number);
    while (codes.length) this.one(codes.shift(), codes);
  }

  one(code, rest) {
    if (code === 0) {
      this.colour = "";
      this.marks.clear();
    } else if (ATTRIBUTES[code]) this.marks.add(ATTRIBUTES[code]);
    else if (ENDS[code]) this.marks.delete(ENDS[code]);
    else if (code >= 30 && code <= 37) this.colour = `ink-${code - 30}`;
    else if (code >= 90 && code <= 97) this.colour = `ink-${code - 82}`;
    else if (code === 39) this.colour = "";
    else if (code === 38) this.colour = extended(rest) ?? this.colour;
    else if (code === 48) extended(rest);
  }
}

function extended(rest) {
  const kind = rest.shift();
  if (kind === 5) return indexed(rest.shift() ?? 0);
  return kind === 2 ? nearest(...rest.splice(0, 3)) : null;
}

function indexed(number) {
  if (number < 16) return `ink-${number}`;
  if (number > 231) return number < 244 ? "ink-8" : "ink-7";
  const [red, green, blue] = [36, 6, 1].map((size) => (Math.floor((number - 16) / size) % 6) * 51);
  return nearest(red, green, blue);
}

function nearest(red = 0, green = 0, blue = 0) {
  const bits = (red > 110 ? 1 : 0) + (green > 110 ? 2 : 0) + (blue > 110 ? 4 : 0);
  return `ink-${bits + (Math.max(red, green, blue) > 215 ? 8 : 0)}`;
}
