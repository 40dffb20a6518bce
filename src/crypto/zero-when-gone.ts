/** For what is made of a key and kept beside it: gone with the key, as the key itself is. */

const registry = new FinalizationRegistry<readonly Uint8Array[]>((arrays) => {
  for (const bytes of arrays) bytes.fill(0);
});

/** Zeroes the arrays once `holder`, which they must not lead to, has been collected: node:crypto zeroes a KeyObject's own memory then. */
export function zeroWhenGone(holder: object, arrays: readonly Uint8Array[]): void {
  registry.register(holder, arrays);
}
