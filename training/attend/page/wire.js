// Requests to the page's server: every one carries the token in a header.

const TOKEN = takeToken();
const SILENCE = 2500; // ms without any event, of five that were due, after which it connects anew

/** The token behind the # of the address; kept for reloads, and taken out of the address. */
function takeToken() {
  if (location.hash.length > 1) {
    sessionStorage.setItem("token", location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token") || "";
}

export function ask(path, options = {}) {
  const headers = { "X-Tacit-Token": TOKEN, ...options.headers };
  return fetch(path, { cache: "no-store", credentials: "omit", ...options, headers });
}

/** Read events until the connection ends; take: what to do with each, by its name. */
export async function follow(take) {
  const stop = new AbortController();
  let timer = setTimeout(() => stop.abort(), SILENCE);
  try {
    const answer = await ask("api/events", { signal: stop.signal });
    if (!answer.ok) throw new Error((await answer.json()).detail);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => stop.abort(), SILENCE);
      const parts = (rest + value).split("\n\n");
      rest = parts.pop();
      for (const part of parts) receive(part, take);
    }
  } finally {
    clearTimeout(timer);
  }
}

function receive(part, take) {
  const [first, second] = part.split("\n");
  take[first.slice("event: ".length)]?.(JSON.parse(second.slice("data: ".length)));
}

async function post(path, request) {
  try {
    const answer = await ask(path, {
      method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" },
    });
    return await answer.json();
  } catch {
    return { applied: false, detail: "The page's command does not answer; try again." };
  }
}

/** Send an act; its envelope, also where it is refused. The same id again is not done twice. */
export const act = (request) => post("api/act", request);

/** Look into the run's folder; what is found, or `detail`: why not. */
export const look = (request) => post("api/look", request);
