// The page of `tacit attend`: follows the run's state, sends acts. Texts are set by textContent only.

import { COLOURS, draw, short } from "./chart.js";
import { act, ask, follow } from "./wire.js";

const $ = (id) => document.getElementById(id);
const WORDS = { pause: "Pause", step: "Step", resume: "Resume", ask: "Ask" };

let facts = null, state = null, curves = {}, open = null, previewed = "";
const filled = {}; // by list, what is in it

function make(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Set a text only if it differs, so that screen readers do not say it again. */
function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

// --- what is shown --------------------------------------------------------------------------------

function showFacts() {
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

function stateText() {
  if (!state.trains) return endText();
  return state.latches.length ? `Held by: ${state.latches.join(", ")}.` : "Training; nothing holds it.";
}

/** Why nothing trains the run, as far as the ledger says. */
function endText() {
  const last = state.acts[0];
  const how = last ? ` Last in the ledger: ${last.what}.` : "";
  return `The run has ended: nothing trains it now.${how}`;
}

function showState() {
  say("state", stateText());
  $("state").className = !state.trains ? "" : state.latches.length ? "held" : "trains";
  const held = state.latches.includes("person");
  $("pause").disabled = !state.trains || held;
  for (const id of ["step", "resume"]) $(id).disabled = !state.trains || !held;
  for (const id of ["ask", "stop"]) $(id).disabled = !state.trains;
  const names = Object.keys(state.seeds);
  $("seeds").replaceChildren(...names.map((name) => seedRow(name, state.seeds[name])));
  const total = facts ? ` of ${facts.seeds}` : "";
  say("ended", `${state.ended}${total} seeds have ended since training began.`);
  fill("ledger", state.acts, actRow);
  say("ledger-mistake", state.ledger_mistake || "");
  fill("states", standing(), (line) => make("li", line));
  showChart();
  preview();
}

/** Fill a list anew if it has changed; what a reader has marked in it stays marked otherwise. */
function fill(id, rows, shown) {
  const text = JSON.stringify(rows);
  if (filled[id] === text) return;
  filled[id] = text;
  $(id).replaceChildren(...rows.map(shown));
}

function seedRow(name, seed) {
  const row = make("tr"), head = make("th", name);
  head.scope = "row";
  const headline = seed.headline === null ? "not read yet" : short(seed.headline);
  row.append(head, make("td", seed.round.toLocaleString("en"), "number"),
    make("td", headline, "number"), make("td", seed.held ? "held" : "plays"));
  return row;
}

function actRow(act) {
  const row = make("tr");
  const when = act.time.replace("T", " ").replace("+00:00", "");
  row.append(...[when, act.who, act.what, act.why, act.rest].map((text) => make("td", text)));
  return row;
}

/** Who stands behind each objective, arms of one answer together. */
function standing() {
  const arms = new Map();
  for (const [arm, text] of Object.entries(state.states)) arms.set(text, [...(arms.get(text) || []), arm]);
  return [...arms].map(([text, names]) => `${names.join(", ")}: ${text}`);
}

function showChart() {
  if (!facts) return;
  const alive = Object.keys(state.seeds);
  const lines = Object.entries(curves).map(([name, points]) => {
    const seed = state.seeds[name], now = seed && seed.headline !== null ? [[seed.round, seed.headline]] : [];
    return { name, points: [...points, ...now], colour: seed ? alive.indexOf(name) : null };
  });
  lines.sort((a, b) => (a.colour === null ? -1 : a.colour) - (b.colour === null ? -1 : b.colour));
  draw($("chart"), lines, facts.benchmarks, facts.headline.name, facts.rounds);
  $("legend").replaceChildren(...alive.map((name, k) => {
    const item = make("li"), sign = make("span", "\u25ac ", `c${k % COLOURS}`);
    sign.setAttribute("aria-hidden", "true");
    item.append(sign, make("span", name));
    return item;
  }));
}

/** Keep the curve of every seed as the server does: a point when its headline was read anew. */
function addPoints() {
  for (const [name, seed] of Object.entries(state.seeds)) {
    if (!Object.hasOwn(curves, name)) curves[name] = [];
    const own = curves[name];
    if (seed.headline !== null && (!own.length || own[own.length - 1][1] !== seed.headline)) {
      own.push([seed.round, seed.headline]);
    }
  }
}

// --- events ---------------------------------------------------------------------------------------

const take = {
  curves(data) { curves = data; },
  state(data) {
    if (!state) performance.mark("usable");
    state = data;
    addPoints();
    showState();
    link("");
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
      if (!facts) {
        const answer = await ask("api/facts"), data = await answer.json();
        if (!answer.ok) return void say("state", data.detail);
        facts = data;
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

// --- acts -----------------------------------------------------------------------------------------

const author = () => $("by").value.trim() || (facts ? facts.user : "");

async function dryRun(name, rounds = 1) {
  const told = await act({
    id: crypto.randomUUID(), act: name, by: author(), reason: "preview", rounds, dry_run: true,
  });
  return told.detail;
}

/** Say beside the button what stop would do, whenever that may have changed. */
async function preview() {
  const about = `${Object.keys(state.seeds).join()} ${state.trains}`;
  if (about === previewed || !facts) return;
  previewed = about;
  say("preview-stop", state.trains ? await dryRun("stop") : "nothing trains the run");
}

function answered(name, told) {
  $("answer").className = told.applied ? "" : "refused";
  $("answer").textContent = told.applied ? `${name}: done; ${told.detail}` : told.detail;
}

async function stop() {
  if ($("stop").disabled) return;
  answered("stop", await act({ id: crypto.randomUUID(), act: "stop", by: author() }));
}

/** Open the form of an act that needs an author and a reason. */
async function openForm(name) {
  if ($(name).disabled || $("form").open) return;
  open = { act: name, id: crypto.randomUUID() };
  $("form-title").textContent = $("do").textContent = WORDS[name];
  $("reason-label").textContent = name === "ask" ? "Question" : "Why";
  $("rounds-row").hidden = name !== "step";
  $("reason").value = $("refusal").textContent = $("preview").textContent = "";
  $("form").showModal();
  $(author() ? "reason" : "by").focus();
  await showPreview();
}

async function showPreview() {
  const own = open, rounds = Number($("rounds").value) || 1;
  const text = await dryRun(own.act, own.act === "step" ? rounds : 1);
  if (own === open) say("preview", text);
}

async function submit(event) {
  event.preventDefault();
  const request = { ...open, by: author(), reason: $("reason").value.trim() };
  if (open.act === "step") request.rounds = Number($("rounds").value);
  sessionStorage.setItem("by", request.by);
  $("do").disabled = true;
  const told = await act(request);
  $("do").disabled = false;
  if (!told.applied) return void ($("refusal").textContent = told.detail);
  $("form").close();
  answered(request.act, told);
}

const KEYS = { p: "pause", n: "step", r: "resume", a: "ask" };

document.addEventListener("keydown", (event) => {
  // All fields are in the form. Just after it was closed, one may still have the focus.
  if ($("form").open || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (event.key === "s") stop();
  else if (Object.hasOwn(KEYS, event.key)) openForm(KEYS[event.key]);
  else return;
  event.preventDefault();
});
for (const name of Object.values(KEYS)) $(name).addEventListener("click", () => openForm(name));
$("stop").addEventListener("click", stop);
$("cancel").addEventListener("click", () => $("form").close());
$("rounds").addEventListener("change", showPreview);
$("form").addEventListener("submit", submit);
addEventListener("resize", () => state && showChart());
stay();
