// Elements and texts. Texts are set by textContent only, so that no tag in them has an effect.

export const $ = (id) => document.getElementById(id);
const SPACE = "http://www.w3.org/2000/svg";
const filled = {}; // by list, what is in it

export function make(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** An element of an SVG. */
export function shape(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Set a text only if it differs, so that screen readers do not say it again. */
export function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

/** Fill a list anew if it has changed; what a reader has marked in it stays marked otherwise. */
export function fill(id, rows, shown) {
  const text = JSON.stringify(rows);
  if (filled[id] === text) return false;
  filled[id] = text;
  $(id).replaceChildren(...rows.map(shown));
  return true;
}

/** A row of a table: the first cell names it; a number stands to the right. */
export function row(head, cells) {
  const made = make("tr"), first = make("th", head);
  first.scope = "row";
  made.append(first, ...cells.map((cell) => {
    if (cell instanceof Node) return cell;
    const isNumber = typeof cell === "number" || cell === null;
    return make("td", isNumber ? short(cell) : cell, isNumber ? "number" : "");
  }));
  return made;
}

/** A number in at most four digits; null is one that is withheld. */
export function short(value) {
  if (value === null || value === undefined) return "\u2013";
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
}

export const whole = (value) => Math.round(value).toLocaleString("en");

/** Show a section only where it has something to say. */
export function show(id, isShown) {
  if ($(id).hidden === isShown) $(id).hidden = !isShown;
}
