// What the rules of verdicts would say of an arm as it is now; looked up when somebody asks.

import { $, make, say, whole } from "./dom.js";
import { partsOf, store } from "./store.js";
import { look } from "./wire.js";

/** The line that says which condition decided; verdicts begin it so. */
const DECIDED = "decided by:";

function verdictCard(verdict) {
  const card = make("div", undefined, "verdict"), word = make("p");
  word.append(make("span", `${verdict.behaviour}: `), make("strong", verdict.word));
  const decided = verdict.evidence.find((line) => line.startsWith(DECIDED));
  card.append(word, make("p", decided ?? verdict.missing[0] ?? verdict.evidence[0] ?? "", "small"));
  const more = make("details"), list = make("ul");
  more.append(make("summary", "all evidence, and what is missing"));
  const lines = [
    ...verdict.evidence, ...verdict.qualifiers.map((line) => `beside it: ${line}`),
    ...verdict.missing.map((line) => `missing: ${line}`),
  ];
  list.append(...lines.map((line) => make("li", line)));
  more.append(list);
  card.append(more);
  return card;
}

export async function askVerdict() {
  const { arm } = partsOf(store.picked);
  if (!arm || $("verdict-ask").disabled) return;
  $("verdict-ask").disabled = true;
  say("verdict-when", "Looking; the page goes on meanwhile ...");
  const told = await look({ look: "verdict", arm });
  $("verdict-ask").disabled = false;
  if (!told.verdicts) return void say("verdict-when", told.detail);
  const [first, last] = told.rounds;
  const at = first === last ? whole(first) : `${whole(first)} to ${whole(last)}`;
  say("verdict-when", `Arm ${told.arm}, so far, of round ${at}: ${told.seeds} of ${told.of} seeds. ${told.disclaimer}`);
  $("verdict-words").replaceChildren(...told.verdicts.map(verdictCard));
  say("verdict-left", told.left_out.length ? `Measured at the end only: ${told.left_out.join(", ")}.` : "");
}
