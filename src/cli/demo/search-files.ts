/**
 * Looks for thousands of byte strings in every file below a folder, in one pass over each file: how the demo and the
 * end-to-end tests prove that no plaintext lies at rest.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Long enough to index by, short enough for every canary to have it. */
const GRAM_BYTES = 4;
/** Larger ones gain little and index more. */
const MAX_STEP = 16;

export type Found = { readonly file: string; readonly offset: number; readonly needle: Uint8Array };

export type Needle = string | Uint8Array;

type Index = {
  /** Positions apart at which the data is looked at: any needle covers one of them with four of its bytes. */
  readonly step: number;
  readonly filter: Uint8Array;
  readonly byGram: ReadonlyMap<number, readonly { readonly needle: Uint8Array; readonly shift: number }[]>;
};

const FILTER_BITS = 20;
/** Fibonacci hashing: the upper bits of a product with 2^32 over the golden ratio. */
const slotOf = (gram: number): number => Math.imul(gram, 0x9e3779b1) >>> (32 - FILTER_BITS);

/** All needles by each of the numbers that four bytes near their beginning make. */
function indexNeedles(needles: readonly Needle[]): Index {
  const all = needles.map((needle) => Buffer.from(needle));
  const shortest = all.reduce((least, { length }) => Math.min(least, length), MAX_STEP + GRAM_BYTES);
  if (shortest < GRAM_BYTES) throw new RangeError('a needle needs at least four bytes');
  const step = shortest - GRAM_BYTES + 1;
  const filter = new Uint8Array(1 << FILTER_BITS);
  const byGram = new Map<number, { needle: Uint8Array; shift: number }[]>();
  for (const needle of all) {
    for (let shift = 0; shift < step; shift++) {
      const gram = needle.readUInt32BE(shift);
      filter[slotOf(gram)] = 1;
      const others = byGram.get(gram);
      if (others === undefined) byGram.set(gram, [{ needle, shift }]);
      else others.push({ needle, shift });
    }
  }
  return { step, filter, byGram };
}

function standsAt(needle: Uint8Array, data: Buffer, start: number): boolean {
  // Most are told apart by a byte, without a view of the rest.
  if (start < 0 || data[start] !== needle[0] || data[start + needle.length - 1] !== needle.at(-1)) return false;
  return data.subarray(start, start + needle.length).equals(needle);
}

function searchBytes(data: Buffer, { step, filter, byGram }: Index): Pick<Found, 'offset' | 'needle'> | undefined {
  for (let at = 0; at + GRAM_BYTES <= data.length; at += step) {
    const gram = data.readUInt32BE(at);
    if (filter[slotOf(gram)] !== 1) continue;
    const found = byGram.get(gram)?.find(({ needle, shift }) => standsAt(needle, data, at - shift));
    if (found !== undefined) return { offset: at - found.shift, needle: found.needle };
  }
  return undefined;
}

/** A place at which any needle (text as UTF-8, at least 4 bytes) stands in each file below `folder`, and how much was read. */
export async function searchFiles(
  folder: string,
  needles: readonly Needle[],
): Promise<{ found: readonly Found[]; files: number; bytes: number }> {
  const index = indexNeedles(needles);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: Found[] = [];
  let files = 0;
  let bytes = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    // A server at work may delete a file between the listing and the read (a WAL segment, a temporary file).
    const data = await readFile(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (data === undefined) continue;
    files += 1;
    bytes += data.length;
    const place = searchBytes(data, index);
    if (place !== undefined) found.push({ file, ...place });
  }
  return { found, files, bytes };
}
