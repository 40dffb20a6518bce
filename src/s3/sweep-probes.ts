/**
 * What probes left in a bucket whose process died midway: whoever finds out anew what the store can do clears it away, and so does who sweeps the bucket.
 *
 * Only what has a probe's name (all of that folder is ours), and only where it began so long ago that whoever made it is gone: another replica's
 * probe may be under way.
 */
import { clearProbe, PROBE_PREFIX, probeOf, type ProbePlace } from './check-leftovers.ts';
import { objectPages } from './listing/delete-hidden.ts';
import { childrenOf, childText, parseXml } from './listing/xml-tree.ts';
import { MAX_LIST_BYTES, MAX_SWEPT_PROBES, PROBE_SWEEP_AGE_MS } from './sealing/limits.ts';

export type SweptPlace = Omit<ProbePlace, 'key'>;

/** Gives the number of probes that are gone. Rejects where the store does not list, or does not let something be deleted; the rest is gone nevertheless. */
export async function sweepProbes(place: SweptPlace, now: number): Promise<number> {
  const old = new Set<string>();
  for await (const { name, since } of leftovers(place)) {
    const key = probeOf(name);
    // A date that is none is not old.
    if (key !== undefined && now - Date.parse(since) > PROBE_SWEEP_AGE_MS) old.add(key);
    if (old.size >= MAX_SWEPT_PROBES) break;
  }
  const failures: unknown[] = [];
  for (const key of old) await clearProbe({ ...place, key }).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  return old.size;
}

type Leftover = { readonly name: string; readonly since: string };

async function* leftovers(place: SweptPlace): AsyncGenerator<Leftover> {
  for await (const page of objectPages(place, PROBE_PREFIX))
    yield* page.map(({ key, lastModified }) => ({ name: key, since: lastModified }));
  yield* await openUploads(place);
}

/** The first page, as the store has it: when these are gone the others have their turn. MinIO shows none without their exact key. */
async function openUploads({ upstream, bucket }: SweptPlace): Promise<readonly Leftover[]> {
  const query = new Map([
    ['uploads', ''],
    ['prefix', PROBE_PREFIX],
  ]);
  const response = await upstream.send({ method: 'GET', bucket, query });
  const text = await response.body.text(MAX_LIST_BYTES);
  if (response.status !== 200) return [];
  return childrenOf(parseXml(text, 'ListMultipartUploadsResult'), 'Upload').map((row) => ({
    name: childText(row, 'Key') ?? '',
    since: childText(row, 'Initiated') ?? '',
  }));
}
