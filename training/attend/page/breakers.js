// Breakers: of every seed what each watches, and how far it is from tripping.

import { $, fill, make, row, say, show } from "./dom.js";
import { seedNames, store } from "./store.js";

/** How near to tripping: points outside first, then the distance as a share of the band's end. */
function nearness({ breaker }) {
  const end = Math.abs(breaker.value - breaker.distance) || 1;
  const far = breaker.distance === null ? Infinity : breaker.distance / end;
  return [breaker.holds ? 0 : 1, -breaker.outside / breaker.needed, far];
}

function byNearness(a, b) {
  const [first, second] = [nearness(a), nearness(b)];
  const k = first.findIndex((value, n) => value !== second[n]);
  return k < 0 ? 0 : first[k] < second[k] ? -1 : 1;
}

function stateOf({ breaker, standing }) {
  if (breaker.holds) return "holds the seed";
  if (standing.ended) return "ended";
  if (breaker.distance === null) return "not read";
  return breaker.distance < 0 ? "outside" : "inside";
}

function breakerRow(own) {
  const { name, breaker, standing } = own;
  const state = make("td", stateOf(own), breaker.holds || breaker.distance < 0 ? "alarm" : "");
  return row(name, [
    breaker.name, breaker.watch, breaker.value, breaker.band, breaker.distance,
    make("td", `${breaker.outside} of ${breaker.needed}`, "number"), make("td", String(breaker.trips), "number"),
    make("td", String(standing.branch), "number"), state,
  ]);
}

export function showBreakers() {
  const rows = seedNames().flatMap((name) => {
    const standing = store.standings[name];
    return (standing?.breakers ?? []).map((breaker) => ({
      name, breaker, standing: { branch: standing.branch, ended: standing.ended, at: standing.read_at },
    }));
  }).sort(byNearness);
  show("breakers", rows.length > 0);
  $("trip").hidden = rows.length === 0;
  if (!fill("breaker-rows", rows, breakerRow)) return;
  const about = new Map(rows.map(({ breaker }) => [breaker.name, breaker.sentence]));
  $("breaker-words").replaceChildren(...[...about].map(([name, text]) => make("li", `${name}: ${text}`)));
  const holding = new Set(rows.filter(({ breaker }) => breaker.holds).map(({ breaker }) => breaker.name));
  say("breaker-held", [...holding].map((name) =>
    `Breaker ${name} holds seeds. Once the others are trained, the command ends, and ` +
    `tacit resume ${store.facts?.run ?? "RUN"} --release ${name} goes on.`).join(" "));
}
