// A seat in the browser: what the seat sees, its legal actions as buttons, and what followed.

import { $, make, row, say, show, short } from "./dom.js";
import { ask } from "./wire.js";

const KEYED = 9; // choices that have a key of their own
const MANY = 24; // choices from which on they can be searched

let state = null, busy = false;

async function get(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  };
  try {
    const answer = await ask(path, options), told = await answer.json();
    say("mistake", answer.ok ? "" : told.detail);
    return answer.ok ? told : null;
  } catch {
    say("mistake", "The page's command does not answer. What was played is in its table.");
    return null;
  }
}

function showBrief({ brief }) {
  document.title = `${brief.seat}: tacit play`;
  say("seat", `You are ${brief.seat}`);
  const others = brief.learning
    ? "The others go on learning, in memory only." : "The others play what they learned, without exploring.";
  say("brief", `${brief.market[0].toUpperCase()}${brief.market.slice(1)}. Run ${brief.run}, arm ${brief.arm}, ` +
    `seed ${brief.seed}, session ${brief.session}. ${others}`);
  say("paid", `${brief.seat} ${brief.paid}`);
  $("measures").replaceChildren(...brief.measures.map((one) => make("li", `${one.name} (${one.unit}): ${one.meaning}`)));
}

function seenRow(part) {
  return row(part.name, [make("td", part.value, "value"), part.meaning]);
}

function choiceButton(text, k) {
  const button = make("button", text);
  button.type = "button";
  button.dataset.choice = String(k + 1);
  if (k < KEYED) {
    button.append(make("kbd", String(k + 1)));
    button.setAttribute("aria-keyshortcuts", String(k + 1));
  }
  button.addEventListener("click", () => decide(k + 1));
  return button;
}

function showState(told) {
  state = told;
  const { view } = told;
  $("told").replaceChildren(...told.told.map((line) => make("li", line.trim())));
  say("total", short(told.total));
  say("finished", `in ${told.finished} of ${told.brief.rounds} rounds`);
  show("play", view !== null);
  show("leave", view !== null);
  show("closing", view === null);
  if (!view) return void close();
  say("when", `Round ${view.round} of ${told.brief.rounds}, ${view.phase}`);
  $("seen").replaceChildren(...view.seen.map(seenRow));
  $("parts").replaceChildren(...view.parts.map((part) => make("li", `${part.name}: ${part.meaning}`)));
  $("choices").replaceChildren(...view.choices.map(choiceButton));
  show("filter-row", view.choices.length > MANY);
  $("filter").value = "";
  $("choices").focus({ preventScroll: true }); // a stray Enter decides nothing
}

async function decide(choice) {
  if (busy || !state?.view) return;
  busy = true;
  const told = await get("api/seat", { decision: state.decision, choice });
  busy = false;
  if (told) showState(told);
}

async function leave() {
  const told = await get("api/seat", { stop: true });
  if (told) showState(told);
}

async function close() {
  const told = await get("api/closing");
  if (!told) return;
  $("score").replaceChildren(...told.score.map((line) => make("p", line)));
  $("transcript").textContent = told.transcript.join("\n") || "No round was finished.";
}

function filter() {
  const wanted = $("filter").value.trim().toLowerCase();
  for (const button of $("choices").children) button.hidden = !button.textContent.toLowerCase().includes(wanted);
}

document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const number = Number(event.key);
  if (!(number >= 1 && number <= Math.min(KEYED, state?.view?.choices.length ?? 0))) return;
  event.preventDefault();
  decide(number);
});
$("filter").addEventListener("input", filter);
$("leave").addEventListener("click", leave);
const first = await get("api/seat");
if (first) {
  showBrief(first);
  showState(first);
} else say("when", "This page cannot be shown.");
