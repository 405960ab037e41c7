// Acts: buttons, keys, and the form. Every act first asks the socket for a dry run, whose answer stands
// beside the button that does it.

import { $, make, say, whole } from "./dom.js";
import { partsOf, seedNames, store } from "./store.js";
import { reachable } from "./time_line.js";
import { act } from "./wire.js";

const ACTS = {
  pause: { key: "p", word: "Pause", fields: [] },
  step: { key: "n", word: "Step", fields: ["rounds"] },
  resume: { key: "r", word: "Resume", fields: ["latch"] },
  ask: { key: "a", word: "Ask", fields: [] },
  pace: { key: "c", word: "Pace", fields: ["target", "pace"] },
  rollback: { key: "b", word: "Roll back", fields: ["target", "to", "weights", "market", "draws"] },
  reweight: { key: "w", word: "Re-weight", fields: ["target", "weights"] },
  redirect: { key: "d", word: "Redirect", fields: ["target", "weights", "market", "draws"] },
  override: { key: "o", word: "Override", fields: ["target", "copy", "seat", "action"] },
  veto: { key: "v", word: "Veto", fields: ["target", "copy", "seat"] },
  trip: { key: "t", word: "Trip a breaker", fields: ["target", "breaker"] },
};
const FIELDS = ["rounds", "latch", "target", "pace", "to", "weights", "market", "draws", "copy", "seat", "action", "breaker"];
const CHECKS = { // by the id of a box, the key of a redirect and its value
  fresh: ["fresh_stream", true], forget: ["forget", true], memory: ["memory", "off"],
  rivals: ["rivals_data", "none"], synchronous: ["updates", "synchronous"],
};
const ONE_SEED = ["override", "veto"];
const WAIT = 200; // ms without typing after which the socket is asked again

let open = null, previewed = "", timer = 0;

const author = () => $("by").value.trim() || (store.facts ? store.facts.user : "");
const newId = () => crypto.randomUUID();

// --- which acts can be done ------------------------------------------------------------------------

export function showButtons() {
  const { trains, latches } = store.state, held = latches.includes("person");
  for (const name of Object.keys(ACTS)) $(name).disabled = !trains;
  $("pause").disabled ||= held;
  $("step").disabled ||= !held;
  $("resume").disabled ||= !latches.length;
  $("stop").disabled = !trains;
  showStop();
}

/** Say beside the button what stop would do, whenever that may have changed. */
async function showStop() {
  const about = `${Object.keys(store.state.seeds).join()} ${store.state.trains}`;
  if (about === previewed || !store.facts) return;
  previewed = about;
  const told = await act({ id: newId(), act: "stop", by: author(), reason: "preview", dry_run: true });
  say("preview-stop", store.state.trains ? told.detail : "nothing trains the run");
}

function answered(name, told) {
  $("answer").className = told.applied ? "" : "refused";
  $("answer").textContent = told.applied ? `${name}: done; ${told.detail}` : told.detail;
}

async function stop() {
  if ($("stop").disabled) return;
  answered("stop", await act({ id: newId(), act: "stop", by: author() }));
}

// --- the form --------------------------------------------------------------------------------------

/** Open the form of an act; to: the round of a kept state, for a rollback. */
export async function openForm(name, to) {
  if ($(name).disabled || $(name).hidden || $("form").open) return;
  open = { act: name, id: newId() };
  const { word, fields } = ACTS[name];
  $("form-title").textContent = $("do").textContent = word;
  $("reason-label").textContent = name === "ask" ? "Question" : "Why";
  for (const field of FIELDS) $(`${field}-row`).hidden = !fields.includes(field);
  for (const id of ["reason", "action", "market"]) $(id).value = "";
  for (const id of Object.keys(CHECKS)) $(id).checked = false;
  $("refusal").textContent = $("preview").textContent = "";
  $("preview-lines").replaceChildren();
  fillLatches();
  fillTargets(name);
  fillOfTarget();
  if (to !== undefined) $("to").value = `r${to}`;
  $("form").showModal();
  $(author() ? firstField(fields) : "by").focus();
  await showPreview();
}

function firstField(fields) {
  return fields.includes("action") ? "action" : "reason";
}

/** Which latch is released; it is asked only where there are two. */
function fillLatches() {
  const { latches } = store.state;
  $("latch").replaceChildren(...latches.map((name) => make("option", name)));
  $("latch-row").hidden ||= latches.length < 2;
}

/** Whom an act is about: the seed that is looked at, another one, or all of an arm. */
function fillTargets(name) {
  const under = Object.keys(store.state.seeds);
  const arms = ONE_SEED.includes(name) ? [] : [...new Set(under.map((seed) => partsOf(seed).arm))];
  const options = [...under, ...arms.map((arm) => `all of ${arm}`)];
  $("target").replaceChildren(...options.map((text, k) => {
    const option = make("option", k < under.length ? text : `all seeds of arm ${arms[k - under.length]}`);
    option.value = k < under.length ? text : `*${arms[k - under.length]}`;
    return option;
  }));
  if (under.includes(store.picked)) $("target").value = store.picked;
}

function target() {
  const value = $("target").value;
  if (value.startsWith("*")) return { arm: value.slice(1), seed: null, branch: null };
  const seed = store.state.seeds[value];
  // Refused if the seed has gone to another branch than the one that is shown here.
  return { ...partsOf(value), branch: open.branch ?? seed?.branch ?? null };
}

/** A standing by which the form is filled: that of the seed, or of any seed of the arm. */
function standing() {
  const { arm, seed } = target();
  const name = seed === null ? seedNames().find((own) => partsOf(own).arm === arm) : `${arm}/s${seed}`;
  return store.standings[name];
}

/** What may be chosen follows from whom the act is about. */
function fillOfTarget() {
  const own = standing(), { arm, seed } = target();
  open.branch = seed === null ? null : store.state.seeds[`${arm}/s${seed}`]?.branch ?? null;
  const kept = own && seed !== null ? reachable(own) : [];
  const states = [["", "the last kept state"], ...kept.reverse().map((at) => [`r${at}`, `round ${whole(at)}`])];
  $("to").replaceChildren(...states.map(([value, text]) => {
    const option = make("option", text);
    option.value = value;
    return option;
  }));
  const facts = store.facts.arms[arm] ?? { seats: [], weights: {} };
  $("seat").replaceChildren(...facts.seats.map((name) => make("option", name)));
  $("breaker").replaceChildren(...(own?.breakers ?? []).map(({ name }) => make("option", name)));
  fillWeights(own?.weights ?? facts.weights);
}

function fillWeights(weights) {
  const rows = Object.entries(weights).flatMap(([owner, terms]) =>
    Object.entries(terms).map(([term, weight]) => weightRow(owner, term, weight)));
  $("weights-rows").replaceChildren(...rows);
}

function weightRow(owner, term, weight) {
  const label = make("label", `${owner}.${term}`), input = make("input");
  Object.assign(input, { type: "number", step: "any", value: String(weight), defaultValue: String(weight) });
  input.id = `weight-${owner}-${term}`;
  Object.assign(input.dataset, { owner, term });
  label.htmlFor = input.id;
  const both = make("div", undefined, "weight");
  both.append(label, input);
  return both;
}

/** What is changed: weights that differ from those in force, keys of the market, draws, memory. */
function redirect() {
  const found = {}, kpi = {};
  for (const input of $("weights-rows").querySelectorAll("input")) {
    if (input.value === "" || Number(input.value) === Number(input.defaultValue)) continue;
    (kpi[input.dataset.owner] ??= {})[input.dataset.term] = Number(input.value);
  }
  if (Object.keys(kpi).length) found.kpi = kpi;
  if (!$("market-row").hidden && $("market").value.trim()) found.market = marketKeys($("market").value);
  for (const [id, [key, value]] of Object.entries(CHECKS)) {
    if (!$("draws-row").hidden && $(id).checked) found[key] = value;
  }
  return found;
}

/** `price_mix=.5 volatility=0` as a table; what is no number stays a word. */
function marketKeys(text) {
  return Object.fromEntries(text.trim().split(/[\s,]+/).map((pair) => {
    const [key, value = ""] = pair.split("=");
    const isNumber = value !== "" && Number.isFinite(Number(value));
    return [key, isNumber ? Number(value) : { true: true, false: false }[value] ?? value];
  }));
}

function request() {
  const fields = ACTS[open.act].fields, wanted = { id: open.id, act: open.act, by: author() };
  if (fields.includes("rounds")) wanted.rounds = Number($("rounds").value) || 1;
  if (fields.includes("latch")) wanted.latch = $("latch").value;
  if (fields.includes("target")) {
    const { arm, seed, branch } = target();
    Object.assign(wanted, { arm, seed }, open.act === "pace" ? {} : { branch });
  }
  if (fields.includes("pace")) wanted.pace = $("pace-rounds").value === "" ? null : Number($("pace-rounds").value);
  if (fields.includes("weights")) {
    const changes = redirect(), isNone = open.act === "rollback" && !Object.keys(changes).length;
    wanted.redirect = isNone ? "none" : changes;
  }
  if (fields.includes("to")) wanted.to = $("to").value;
  if (fields.includes("seat")) Object.assign(wanted, { copy: Number($("copy").value) || 0, seat: $("seat").value });
  if (fields.includes("breaker")) wanted.breaker = $("breaker").value;
  if (fields.includes("action")) wanted.action = $("action").value.trim();
  return wanted;
}

async function showPreview() {
  const own = open;
  const told = await act({ ...request(), id: newId(), reason: "preview", dry_run: true });
  if (own !== open) return;
  say("preview", told.detail);
  $("preview").className = told.detail.startsWith("would") ? "" : "refused";
  $("preview-lines").replaceChildren(...(told.preview ?? []).map((line) => make("li", line)));
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(showPreview, WAIT);
}

async function submit(event) {
  event.preventDefault();
  const wanted = { ...request(), reason: $("reason").value.trim() };
  sessionStorage.setItem("by", wanted.by);
  $("do").disabled = true;
  const told = await act(wanted);
  $("do").disabled = false;
  if (!told.applied) {
    open.id = newId(); // refused whole: the next try is another act
    return void ($("refusal").textContent = told.detail);
  }
  $("form").close();
  answered(open.act, told);
}

// --- keys ------------------------------------------------------------------------------------------

const KEYS = Object.fromEntries(Object.entries(ACTS).map(([name, { key }]) => [key, name]));
const IN_FIELDS = ["INPUT", "SELECT", "TEXTAREA"];

document.addEventListener("keydown", (event) => {
  if ($("form").open || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (IN_FIELDS.includes(event.target.tagName) && !$("form").contains(event.target)) return;
  if (event.key === "s") stop();
  else if (Object.hasOwn(KEYS, event.key)) openForm(KEYS[event.key]);
  else return;
  event.preventDefault();
});
for (const name of Object.keys(ACTS)) $(name).addEventListener("click", () => openForm(name));
$("stop").addEventListener("click", stop);
$("cancel").addEventListener("click", () => $("form").close());
$("form").addEventListener("submit", submit);
$("target").addEventListener("change", fillOfTarget);
$("form").addEventListener("input", (event) => {
  if (!["by", "reason"].includes(event.target.id)) soon();
});
