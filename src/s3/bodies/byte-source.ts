/**
 * Bodies as they flow through the gateway: pushed from the read of one socket to the write of the other within one turn of the event loop.
 * A body of 1 GiB comes in 16,000 reads, and a promise at each stage of each of them cost more than sealing it (docs/DECISIONS.md, "S3
 * gateway"). Back-pressure is explicit: only who cannot take more makes the source wait.
 */

/**
 * Takes what one read gave. A promise: nothing more is given before it resolves. What is thrown, or rejected with, ends the source. The
 * pieces belong to the taker (`spent-bytes.ts`), unless they are said to be lent.
 */
export type Take = (pieces: readonly Uint8Array[]) => Promise<void> | undefined;

/** A body that is read once. */
export interface ByteSource {
  /** Resolves when all was taken. Rejects with what ended the body early, or with what `take` threw: the source is then let go. */
  pour(take: Take): Promise<void>;
}

/** A source of what is there already. */
export const sourceOf = (pieces: Iterable<Uint8Array>): ByteSource => ({
  pour: async (take) => {
    for (const piece of pieces) if (piece.length > 0) await take([piece]);
  },
});

/** The whole body: for what is known to be short. `check` is told the length so far, and throws where it is too much. */
export async function gather(source: ByteSource, check?: (length: number) => void): Promise<Uint8Array> {
  const gathered: Uint8Array[] = [];
  let length = 0;
  await source.pour((pieces) => {
    for (const piece of pieces) length += piece.length;
    check?.(length);
    gathered.push(...pieces);
    return undefined;
  });
  const [only] = gathered;
  // A view would keep all the memory that it is a view of.
  const isWhole = gathered.length === 1 && only?.byteLength === only?.buffer.byteLength;
  return isWhole && only !== undefined ? only : Buffer.concat(gathered);
}
