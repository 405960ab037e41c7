// A line chart of the headline along the rounds, with benchmarks as dashed lines: SVG, no library.

import { shape, short } from "./dom.js";

const LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 26;
export const COLOURS = 6;

/** The lowest and highest value to show, with a little room. */
function range(values) {
  if (!values.length) return [0, 1];
  const low = Math.min(...values), high = Math.max(...values);
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

/**
 * Draw anew.
 *
 * curves: [{name, points: [[round, value], ...], colour: 0 .. or null once the seed has ended,
 *   left: whether it is of a branch that was left}]
 * marks: [{label, value}], benchmarks.
 */
export function draw(place, curves, marks, measure, rounds) {
  const width = Math.max(260, place.clientWidth), height = 240;
  const values = curves.flatMap((curve) => curve.points.map((point) => point[1]));
  const [low, high] = range([...values, ...marks.map((mark) => mark.value)]);
  const seen = curves.flatMap((curve) => curve.points.map((point) => point[0]));
  const first = seen.length ? Math.min(...seen) : 0;
  const last = Math.max(first + 1, seen.length ? Math.max(...seen) : rounds);
  const x = (round) => LEFT + ((round - first) / (last - first)) * (width - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM);
  const svg = shape("svg", {
    viewBox: `0 0 ${width} ${height}`, role: "img", preserveAspectRatio: "none",
    "aria-label": `${measure} by round; the table below has the values`,
  });
  svg.append(shape("line", { class: "axis", x1: LEFT, x2: LEFT, y1: TOP, y2: height - BOTTOM }));
  svg.append(shape("line", {
    class: "axis", x1: LEFT, x2: width - RIGHT, y1: height - BOTTOM, y2: height - BOTTOM,
  }));
  for (const value of [low + (high - low) * 0.05, (low + high) / 2, high - (high - low) * 0.05]) {
    svg.append(shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  svg.append(shape("text", { x: LEFT, y: height - 8 }, `round ${Math.round(first).toLocaleString("en")}`));
  svg.append(shape("text", { x: width - RIGHT, y: height - 8, "text-anchor": "end" },
    Math.round(last).toLocaleString("en")));
  for (const curve of curves) {
    if (!curve.points.length) continue;
    const points = curve.points.map(([round, value]) => `${x(round).toFixed(1)},${y(value).toFixed(1)}`);
    const colour = curve.colour === null ? "past" : `c${curve.colour % COLOURS}`;
    const kind = curve.left ? `${colour} left` : colour;
    svg.append(shape("polyline", { class: `curve ${kind}`, points: points.join(" ") }));
  }
  for (const mark of marks) {
    const height = y(mark.value);
    svg.append(shape("line", { class: "mark", x1: LEFT, x2: width - RIGHT, y1: height, y2: height }));
    const above = height > TOP + 16 ? -4 : 14;
    svg.append(shape("text", { x: LEFT + 6, y: height + above }, `${mark.label} ${short(mark.value)}`));
  }
  place.replaceChildren(svg);
}
