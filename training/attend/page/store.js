// What the page knows of the run; every section reads it, only room.js writes it.

export const store = {
  facts: null, // what does not change
  state: null, // rounds, latches, the last acts
  curves: {}, // by seed, the headline along the rounds: [[round, value], ...]
  standings: {}, // by seed, how it stood when it was saved last
  marks: [], // acts of people, with the rounds that seeds had played then
  picked: "", // the seed that is looked at
};

/** The names of all seeds that are known, those under way first. */
export function seedNames() {
  const under = Object.keys(store.state?.seeds ?? {});
  return [...under, ...Object.keys(store.standings).filter((name) => !under.includes(name)).sort()];
}

/** The arm and the number of a seed by its name, `arm/s0`. */
export function partsOf(name) {
  const cut = name.lastIndexOf("/s");
  return { arm: name.slice(0, cut), seed: Number(name.slice(cut + 2)) };
}
