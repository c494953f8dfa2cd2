// Builds and updates elements. Everything that is shown becomes a text node: nothing is parsed.
// What is not listed here cannot be made, so no text of a session can bring in anything else.

const TAGS = new Set(
  ("a article aside bdi button code dd details dialog div dl dt em fieldset footer form h1 h2 h3 " +
   "header input label legend li main nav ol optgroup option p pre progress section select span " +
   "strong summary table tbody td textarea th thead time tr ul datalist").split(" "));

const ATTRIBUTES = new Set(
  ("autocapitalize autocomplete autocorrect checked class dir disabled download enterkeyhint for " +
   "hidden href id inputmode lang list maxlength max min name open placeholder readonly rel " +
   "required role rows scope spellcheck step tabindex target title type value datetime").split(" "));

/** Make an element: `el("p.note", {title: "…", on: {click: f}}, "text", child, …)`. */
export function el(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split(".");
  if (!TAGS.has(tag)) throw new Error(`no element ${tag} is made here`);
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") listen(made, value);
    else set(made, name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Make a button that does something; `kind` as of `el`. */
export function button(kind, text, act, attributes = {}) {
  return el(kind, { type: "button", ...attributes, on: { click: act } }, text);
}

/** Make a short mark with a tone: `good`, `warn`, `bad` or none. */
export function chip(tone, text) {
  return el(tone ? `span.chip.${tone}` : "span.chip", {}, text);
}

/** Make a place that scrolls by itself; the keyboard reaches it. */
export function scrolled(kind, label, attributes = {}, ...children) {
  return el(kind, { tabindex: 0, role: "group", "aria-label": label, ...attributes }, ...children);
}

/** Make a form whose submission is left to `act`. */
export function form(kind, act, attributes = {}, ...children) {
  const submit = (event) => {
    event.preventDefault();
    act();
  };
  return el(kind, { ...attributes, on: { submit } }, ...children);
}

/** Set or, with null or false, remove one attribute. */
export function set(element, name, value) {
  if (!ATTRIBUTES.has(name) && !name.startsWith("aria-") && !name.startsWith("data-")) {
    throw new Error(`no attribute ${name} is set here`);
  }
  if (value === null || value === undefined || value === false) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
    return;
  }
  const text = value === true ? "" : String(value);
  if (name === "href" && !isHarmless(text)) throw new Error("a link leads to http, https or here");
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Put a text into an element, unless it is there already: selections and focus stay. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show or hide an element. */
export function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
}

/**
 * Make the children of `parent` those of `items`, in their order.
 *
 * `make(item)` returns `{element, update(item)}`, once for each key. An element that stays is not
 * touched but by its own `update`, so what has the focus or is selected keeps it.
 */
export class KeyedList {
  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
    this.parts = new Map();
  }

  update(items) {
    const wanted = new Set(items.map((item) => item.key));
    for (const [key, part] of this.parts) {
      if (!wanted.has(key)) {
        part.close?.();
        part.element.remove();
        this.parts.delete(key);
      }
    }
    let place = this.parent.firstChild;
    for (const item of items) {
      const part = this.part(item);
      part.update?.(item);
      if (part.element === place) place = place.nextSibling;
      else this.parent.insertBefore(part.element, place);
    }
  }

  part(item) {
    let part = this.parts.get(item.key);
    if (part === undefined) {
      part = this.make(item);
      this.parts.set(item.key, part);
    }
    return part;
  }

  close() {
    for (const part of this.parts.values()) part.close?.();
  }
}

function listen(element, handlers) {
  for (const [name, handler] of Object.entries(handlers)) element.addEventListener(name, handler);
}

function isHarmless(target) {
  return /^(\/(?!\/)|#|https?:\/\/)/.test(target);
}
