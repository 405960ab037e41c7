// Of the seed that is looked at: who earns what, and claims against truth, at the last evaluation point.

import { fill, make, row, say, short, show, whole } from "./dom.js";
import { partsOf, store } from "./store.js";

function seatRow(seat) {
  return row(seat.seat, [seat.earned, seat.paid]);
}

function claimRow(claim) {
  const text = claim.free ? `${claim.says} (words of no fixed meaning)` : claim.says;
  const value = make("td", claim.value === null ? "\u2013" : `${short(claim.value)} ${claim.unit}`, "number");
  return row(claim.seat, [text, claim.about, claim.meaning, value]);
}

function figureRow([name, value]) {
  return row(name, [value]);
}

/** Weights that a redirect has put in the place of those that were configured. */
function changedWeights(standing) {
  const own = store.facts?.arms[partsOf(store.picked).arm]?.weights ?? {};
  return Object.entries(standing.weights).flatMap(([owner, terms]) => Object.entries(terms)
    .filter(([term, weight]) => own[owner] && own[owner][term] !== weight)
    .map(([term, weight]) => `${owner}.${term} ${short(weight)} (configured: ${short(own[owner][term])})`));
}

export function showEarnings() {
  const standing = store.standings[store.picked];
  const seats = standing?.seats ?? [], known = seats.some((seat) => seat.earned !== null);
  show("earnings", known);
  show("claims", known && standing.claims.length > 0);
  const figures = Object.entries(standing?.figures ?? {});
  show("figures", figures.length > 0);
  if (!standing || !known) return;
  const what = new Set(seats.map((seat) => seat.what));
  say("earned", what.size === 1 ? `own ${[...what][0]}` : "own benefit");
  for (const id of ["earnings-when", "claims-when"]) {
    say(id, `${store.picked}, a round, mean over the last evaluation point (up to round ${whole(standing.read_at)}).`);
  }
  const changed = changedWeights(standing);
  say("earnings-weights", changed.length ? `Weights in force here: ${changed.join(", ")}.` : "");
  fill("earning-rows", seats, seatRow);
  fill("claim-rows", standing.claims, claimRow);
  fill("figure-rows", figures, figureRow);
}
