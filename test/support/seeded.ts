/** Numbers that are the same for the same seed (mulberry32, public domain), so that a finding can be had again. */

/** Of 32 bits. */
function words(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** From 0 to 1. */
export function seeded(seed: number): () => number {
  const word = words(seed);
  return () => word() / 4_294_967_296;
}

/** A whole number below the one given. */
export type Draw = (below: number) => number;

export function drawing(seed: number): Draw {
  const word = words(seed);
  return (below) => word() % below;
}

export const pick = <T>(random: () => number, choices: readonly T[]): T => {
  const chosen = choices[Math.floor(random() * choices.length)];
  if (chosen === undefined) throw new TypeError('nothing to choose from');
  return chosen;
};

export const drawn = <Item>(draw: Draw, items: readonly [Item, ...Item[]]): Item =>
  items[draw(items.length)] ?? items[0];
