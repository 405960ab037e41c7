// The last deals of the seed that is looked at, and why one was done; looked up when somebody asks.

import { $, make, say, short, whole } from "./dom.js";
import { partsOf, store } from "./store.js";
import { look } from "./wire.js";

const COUNT = 5;

function dealItem(arm, deal) {
  const item = make("li"), head = make("p"), text = make("pre", "", "why");
  const harm = deal.harm === null ? "" : deal.to ? `harm ${short(deal.harm)} to ${deal.to}` : "no harm";
  head.append(make("code", deal.name), make("span", ` ${harm}`, "small"));
  const button = make("button", "why", "quiet");
  button.type = "button";
  button.setAttribute("aria-label", `why deal ${deal.name} was done`);
  button.setAttribute("aria-expanded", "false");
  text.hidden = true;
  button.addEventListener("click", async () => {
    if (!text.hidden) {
      text.hidden = true;
      return void button.setAttribute("aria-expanded", "false");
    }
    button.disabled = true;
    text.hidden = false;
    text.textContent = "Playing the round again ...";
    const told = await look({ look: "why", arm, deal: deal.name });
    text.textContent = told.lines ? [...told.lines, ...(told.doubt ? [told.doubt] : [])].join("\n") : told.detail;
    button.disabled = false;
    button.setAttribute("aria-expanded", "true");
  });
  const words = make("p", deal.lines.join("; "));
  head.append(button);
  item.append(head, words, text);
  return item;
}

export async function askDeals() {
  const { arm, seed } = partsOf(store.picked), name = store.picked;
  if (!arm || $("deals-ask").disabled) return;
  $("deals-ask").disabled = true;
  say("deals-when", "Playing the last rounds again, in a process of their own ...");
  const told = await look({ look: "deals", arm, seed, count: COUNT });
  $("deals-ask").disabled = false;
  if (!told.deals) return void say("deals-when", told.detail);
  const held = store.state?.seeds[name]?.held ? "where it is held" : "where it was saved last";
  const doubt = told.doubt ? ` Doubt: ${told.doubt}.` : "";
  say("deals-when", `${name}, branch ${told.branch}, up to round ${whole(told.round)}, ${held}.${doubt}`);
  $("deal-rows").replaceChildren(...told.deals.map((deal) => dealItem(arm, deal)));
}

/** Deals of another seed are not left standing under its name. */
export function forgetDeals() {
  $("deal-rows").replaceChildren();
  say("deals-when", "");
}
