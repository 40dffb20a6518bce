/**
 * Looks for thousands of byte strings in every file below a folder, in one pass over each file: how the demo and the
 * end-to-end tests prove that no plaintext lies at rest.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Long enough to index by, short enough for every canary to have it. */
const PREFIX_BYTES = 4;

export type Found = { readonly file: string; readonly offset: number };

/** All needles by the number that their first four bytes make. */
function indexNeedles(needles: readonly string[]): { filter: Uint8Array; byPrefix: Map<number, Uint8Array[]> } {
  const filter = new Uint8Array(0x1_00_00);
  const byPrefix = new Map<number, Uint8Array[]>();
  for (const needle of needles) {
    const bytes = Buffer.from(needle, 'utf8');
    if (bytes.length < PREFIX_BYTES) throw new RangeError('a needle needs at least four bytes');
    const prefix = bytes.readUInt32BE(0);
    filter[prefix & 0xffff] = 1;
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), bytes]);
  }
  return { filter, byPrefix };
}

function searchBytes(data: Buffer, { filter, byPrefix }: ReturnType<typeof indexNeedles>): number | undefined {
  let window = 0;
  for (let index = 0; index < data.length; index += 1) {
    window = ((window << 8) | (data[index] ?? 0)) >>> 0;
    if (filter[window & 0xffff] !== 1) continue;
    const start = index - PREFIX_BYTES + 1;
    const candidates = byPrefix.get(window);
    if (candidates?.some((needle) => data.subarray(start, start + needle.length).equals(needle))) return start;
  }
  return undefined;
}

/** The first place at which any needle (UTF-8, at least 4 bytes) stands in each file below `folder`, and how much was read. */
export async function searchFiles(
  folder: string,
  needles: readonly string[],
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
    const offset = searchBytes(data, index);
    if (offset !== undefined) found.push({ file, offset });
  }
  return { found, files, bytes };
}
