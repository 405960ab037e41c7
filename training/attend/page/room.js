// The page of `tacit attend`: follows the run, and lets every section show its part.

import { showButtons, openForm } from "./acts.js";
import { showBreakers } from "./breakers.js";
import { COLOURS, draw } from "./chart.js";
import { askDeals, forgetDeals } from "./deals.js";
import { $, fill, make, row, say, show, whole } from "./dom.js";
import { showEarnings } from "./earnings.js";
import { seedNames, store } from "./store.js";
import { showTimeLine } from "./time_line.js";
import { askVerdict } from "./verdict.js";
import { ask, follow } from "./wire.js";

// --- what does not change --------------------------------------------------------------------------

function showFacts() {
  const { facts } = store;
  document.title = `${facts.run}: tacit attend`;
  say("run", facts.run);
  say("question", `${facts.question} Market: ${facts.market}.`.trim());
  const { name, unit, meaning } = facts.headline;
  say("chart-title", `Headline: ${name}`);
  say("measure", name);
  say("meaning", `${meaning} (${unit}).`);
  $("by").value ||= sessionStorage.getItem("by") || facts.user;
  $("kpis").replaceChildren(...facts.kpis.flatMap(({ arms, lines }) => {
    const list = make("ul");
    list.append(...lines.map((line) => make("li", line)));
    return [make("h3", arms), list];
  }));
}

// --- what changes ----------------------------------------------------------------------------------

function stateText() {
  const { state } = store;
  if (!state.trains) return endText();
  return state.latches.length ? `Held by: ${state.latches.join(", ")}.` : "Training; nothing holds it.";
}

/** Why nothing trains the run, as far as the ledger says. */
function endText() {
  const last = store.state.acts[0];
  const how = last ? ` Last in the ledger: ${last.what}.` : "";
  return `The run has ended: nothing trains it now.${how}`;
}

function showState() {
  const { state, facts } = store;
  say("state", stateText());
  $("state").className = !state.trains ? "" : state.latches.length ? "held" : "trains";
  const names = Object.keys(state.seeds);
  fill("seeds", names.map((name) => [name, state.seeds[name]]), seedRow);
  const total = facts ? ` of ${facts.seeds}` : "";
  say("ended", state.ended ? `${state.ended}${total} seeds have ended since training began.` : "");
  fill("ledger", state.acts, actRow);
  say("ledger-mistake", state.ledger_mistake || "");
  fill("states", standing(), (line) => make("li", line));
  showButtons();
  showChart();
  showPicker();
}

function seedRow([name, seed]) {
  const headline = seed.headline === null ? make("td", "not read yet", "number") : seed.headline;
  const pace = seed.pace ? `${whole(seed.pace)} a second` : "full";
  return row(name, [
    make("td", whole(seed.round), "number"), headline, make("td", String(seed.branch ?? 0), "number"),
    make("td", pace, "number"), seed.held ? "held" : "plays",
  ]);
}

function actRow(act) {
  const made = make("tr"), when = act.time.replace("T", " ").replace("+00:00", "");
  made.append(...[when, act.who, act.what, act.why, act.rest].map((text) => make("td", text)));
  return made;
}

/** Who stands behind each objective, arms of one answer together. */
function standing() {
  const arms = new Map();
  for (const [arm, text] of Object.entries(store.state.states)) arms.set(text, [...(arms.get(text) || []), arm]);
  return [...arms].map(([text, names]) => `${names.join(", ")}: ${text}`);
}

// --- the chart -------------------------------------------------------------------------------------

function showChart() {
  const { facts, state } = store;
  if (!facts || !state) return;
  const alive = Object.keys(state.seeds);
  const lines = Object.entries(store.curves).flatMap(([name, points]) => {
    const seed = state.seeds[name], now = seed && seed.headline !== null ? [[seed.round, seed.headline]] : [];
    const colour = seed ? alive.indexOf(name) : null;
    const left = (name === store.picked && store.standings[name]?.left) || [];
    return [...left.map((branch) => ({ points: branch.headline, colour, left: true })),
      { name, points: [...points, ...now], colour }];
  });
  lines.sort((a, b) => (a.colour === null ? -1 : a.colour) - (b.colour === null ? -1 : b.colour));
  draw($("chart"), lines, facts.benchmarks, facts.headline.name, facts.rounds);
  fill("legend", alive, (name) => {
    const item = make("li"), sign = make("span", "\u25ac ", `c${alive.indexOf(name) % COLOURS}`);
    sign.setAttribute("aria-hidden", "true");
    item.append(sign, make("span", name));
    return item;
  });
  show("legend-left", lines.some((line) => line.left && line.points.length));
}

const lastRound = {}; // by seed, as it was told last

/** Keep the curve of every seed as the server does: a point when its headline was read anew, and
 * nothing of a branch that was left. */
function addPoints() {
  for (const [name, seed] of Object.entries(store.state.seeds)) {
    if (!Object.hasOwn(store.curves, name)) store.curves[name] = [];
    const own = store.curves[name];
    if (seed.round < (lastRound[name] ?? 0)) leaveFrom(name, seed.round);
    lastRound[name] = seed.round;
    if (seed.headline !== null && (!own.length || own[own.length - 1][1] !== seed.headline)) {
      own.push([seed.round, seed.headline]);
    }
  }
}

function leaveFrom(name, round) {
  const own = store.curves[name] ?? [];
  own.splice(0, own.length, ...own.filter((point) => point[0] <= round));
}

// --- the seed that is looked at --------------------------------------------------------------------

function showPicker() {
  const names = seedNames();
  if (!names.includes(store.picked)) store.picked = names[0] ?? "";
  fill("pick", names, (name) => {
    const option = make("option", name);
    option.value = name;
    return option;
  });
  if ($("pick").value !== store.picked) $("pick").value = store.picked;
  show("look", names.length > 0);
}

function showSeed() {
  showEarnings();
  showTimeLine((round) => openForm("rollback", round));
}

// --- events ----------------------------------------------------------------------------------------

const take = {
  curves(data) { store.curves = data; },
  state(data) {
    if (!store.state) performance.mark("usable");
    store.state = data;
    addPoints();
    showState();
    link("");
  },
  seed(data) {
    const before = store.standings[data.name];
    store.standings[data.name] = data;
    if (before && data.branch > before.branch) leaveFrom(data.name, data.branches[data.branch].start);
    if (!store.state) return;
    showPicker();
    showBreakers();
    if (data.name === store.picked) showSeed();
  },
  marks(data) {
    store.marks = data;
    if (store.state) showSeed();
  },
  beat(data) {
    link(data.silent > 3 ? `The run has not answered for ${Math.round(data.silent)} seconds.` : "");
  },
};

function link(text) {
  say("link", text);
  $("link").hidden = !text;
}

async function stay() {
  for (let wait = 250; ; wait = Math.min(2 * wait, 2000)) {
    try {
      if (!store.facts) {
        const answer = await ask("api/facts"), data = await answer.json();
        if (!answer.ok) return void say("state", data.detail);
        store.facts = data;
        showFacts();
      }
      const began = Date.now();
      await follow(take);
      if (Date.now() - began > 2000) wait = 125;
    } catch { /* told below, and tried again */ }
    link("The page's command does not answer; trying again. Training goes on without it.");
    await new Promise((then) => setTimeout(then, wait));
  }
}

$("pick").addEventListener("change", () => {
  store.picked = $("pick").value;
  forgetDeals();
  showSeed();
  showChart();
});
$("verdict-ask").addEventListener("click", askVerdict);
$("deals-ask").addEventListener("click", askDeals);
addEventListener("resize", () => store.state && (showChart(), showSeed()));
stay();
