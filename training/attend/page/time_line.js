// The time line of a seed: a lane a branch, marks for kept states, acts and trips. A kept state of the
// present branch's past can be gone back to.

import { $, fill, make, say, shape, short, show, whole } from "./dom.js";
import { store } from "./store.js";

const LEFT = 62, RIGHT = 14, TOP = 16, LANE = 34, BOTTOM = 24;
const APART = 11; // pixels between two kept states that are drawn; the form has them all
const FORKS = ["rollback", "reweight", "redirect"];
let drawn = "";

/** The rounds of kept states that the present branch can go back to. */
export function reachable(standing) {
  const found = new Set([standing.branches[0].start]);
  let end = standing.round;
  for (let at = standing.branch; at !== null;) {
    const branch = standing.branches[at];
    for (const [number, round] of standing.kept) {
      if (number === at && round > branch.start && round <= end && round < standing.round) found.add(round);
    }
    end = Math.min(end, branch.start);
    at = branch.from;
  }
  return [...found].sort((a, b) => a - b);
}

/** Rounds of kept states that can be told apart where a round takes so many pixels. */
function thinned(rounds, pixels) {
  const found = [];
  for (const round of [...rounds].reverse()) {
    if (!found.length || (found[found.length - 1] - round) * pixels >= APART) found.push(round);
  }
  return found.reverse();
}

/** All marks of a seed: what, in which branch, at which round, and its text. */
function marksOf(name, standing, pixels) {
  const back = new Set(reachable(standing)), own = new Map();
  const earlier = standing.kept.filter(([branch, round]) => branch < standing.branch || round < standing.round);
  for (const [branch, round] of earlier) own.set(branch, [...(own.get(branch) ?? []), round]);
  const kept = [...own].flatMap(([branch, rounds]) => thinned(rounds, pixels).map((round) => {
    const isBack = back.has(round) && onPath(standing, branch, round);
    const text = `kept state, round ${whole(round)}, branch ${branch}`;
    return { kind: "kept", branch, round, text: isBack ? `${text}: go back to it` : text, isBack };
  }));
  const first = {
    kind: "kept", branch: 0, round: standing.branches[0].start, text: "the beginning: go back to it",
    isBack: !standing.ended,
  };
  const trips = standing.trips.map((trip) => ({
    kind: trip.by_person ? "act" : "trip", branch: trip.branch, round: trip.round, text: trip.text,
  }));
  // From these a branch began, so they are among the trips already.
  const isNew = (mark) => typeof mark.at[name] === "number" && !FORKS.includes(mark.what);
  const acts = store.marks.filter(isNew).map((mark) => ({
    kind: "act", branch: mark.branch[name] ?? 0, round: mark.at[name],
    text: `${mark.what} by ${mark.by} at round ${whole(mark.at[name])}${mark.why ? `: ${mark.why}` : ""}`,
  }));
  return [first, ...kept, ...trips, ...acts].filter((mark) => mark.branch < standing.branches.length);
}

/** Whether a state lies on the way to the present, and not in a part of a branch that was left. */
function onPath(standing, branch, round) {
  if (standing.ended) return false;
  let end = standing.round, at = standing.branch;
  while (at !== null && at !== branch) {
    end = Math.min(end, standing.branches[at].start);
    at = standing.branches[at].from;
  }
  return at === branch && round <= end && round < standing.round;
}

function markShape(mark, x, y) {
  if (mark.kind === "trip") return shape("path", { d: `M${x - 6},${y + 5} L${x},${y - 7} L${x + 6},${y + 5} Z` });
  if (mark.kind === "act") return shape("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9 });
  return shape("circle", { cx: x, cy: y, r: 4.5 });
}

function drawMark(mark, x, y, goBack) {
  const group = shape("g", { class: `tl-${mark.kind}${mark.isBack ? " back" : ""}` });
  group.append(markShape(mark, x, y), shape("title", {}, mark.text));
  const tell = () => say("time-line-text", mark.text);
  group.addEventListener("mouseenter", tell);
  if (mark.isBack) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "-1");
    group.dataset.mark = `${mark.branch}/${mark.round}`;
    group.setAttribute("aria-label", mark.text);
    group.addEventListener("click", () => goBack(mark.round));
    group.addEventListener("focus", tell);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        event.stopPropagation();
        goBack(mark.round);
      }
    });
  } else group.setAttribute("aria-hidden", "true");
  return group;
}

/** One of the marks takes part in the order of Tab; arrows go from one to the next. */
function steerByArrows(groups) {
  if (!groups.length) return;
  groups[groups.length - 1].setAttribute("tabindex", "0");
  groups.forEach((group, k) => group.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && groups[k + step];
    if (!next) return;
    event.preventDefault();
    group.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }));
}

export function showTimeLine(goBack) {
  const name = store.picked, standing = store.standings[name];
  show("time-line", Boolean(standing?.branches));
  if (!standing?.branches) return;
  const place = $("time-line-lanes"), wide = Math.max(260, place.clientWidth);
  const last = Math.max(1, ...standing.branches.map((branch) => branch.end));
  const marks = marksOf(name, standing, (wide - LEFT - RIGHT) / Math.max(1, last - standing.branches[0].start));
  const key = JSON.stringify([name, standing.round, standing.branch, marks, wide]);
  if (key === drawn) return;
  drawn = key;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.mark : null;
  const high = TOP + LANE * standing.branches.length + BOTTOM;
  const begin = standing.branches[0].start;
  const x = (round) => LEFT + ((round - begin) / Math.max(1, last - begin)) * (wide - LEFT - RIGHT), y = (branch) => TOP + LANE * (branch + .5);
  const svg = shape("svg", { viewBox: `0 0 ${wide} ${high}`, height: high, role: "group", id: "lanes",
    "aria-label": `time line of ${name}: kept states to go back to, by arrow keys` });
  for (const branch of standing.branches) {
    const isNow = branch.branch === standing.branch, kind = isNow ? "lane now" : "lane";
    const height = y(branch.branch);
    svg.append(shape("text", { x: 0, y: height + 4 }, `branch ${branch.branch}`));
    svg.append(shape("line", { class: kind, x1: x(branch.start), x2: x(branch.end), y1: height, y2: height }));
    if (branch.from !== null) {
      svg.append(shape("line", { class: "fork", x1: x(branch.start), x2: x(branch.start), y1: y(branch.from), y2: height }));
    }
  }
  for (const [round, anchor] of [[begin, "start"], [last, "end"]]) {
    svg.append(shape("text", { x: x(round), y: high - 6, "text-anchor": anchor }, anchor === "start" ? `round ${whole(round)}` : whole(round)));
  }
  const groups = marks.map((mark) => drawMark(mark, x(mark.round), y(mark.branch), goBack));
  svg.append(...groups);
  place.replaceChildren(svg);
  place.dataset.round = standing.round;
  const back = groups.filter((_, k) => marks[k].isBack)
    .sort((a, b) => marks[groups.indexOf(a)].round - marks[groups.indexOf(b)].round);
  steerByArrows(back);
  // Drawn anew under somebody's focus: it stays where it was, or goes to the last state.
  if (focused !== null) (back.find((group) => group.dataset.mark === focused) ?? back.at(-1))?.focus();
  fill("left-rows", standing.left, leftItem);
  show("left", standing.left.length > 0);
}

/** A branch that was left: told as such, with what was read there last. */
function leftItem(left) {
  const branch = store.standings[store.picked].branches[left.branch];
  const last = Object.entries(left.last).map(([name, value]) => `${name} ${short(value)}`).join(", ");
  const points = `${left.points} evaluation point${left.points === 1 ? "" : "s"} after the state gone back to`;
  return make("li", `Branch ${left.branch}, left at round ${whole(branch?.end ?? 0)}: ${points}; last read ${last || "nothing"}.`);
}
