/**
 * What a probe makes, and clearing it away where the probe broke off. Then nobody knows what was made: a store may have done what it never
 * answered. So all names of the probe are gone through, each by itself, and uploads are looked for in the store's list.
 */
import { HIDDEN_PREFIX } from '../envelope/object/hidden-object.ts';
import { deleteHiddenKey } from './listing/delete-hidden.ts';
import { childrenOf, childText, parseXml } from './listing/xml-tree.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type ProbePlace = { readonly upstream: UpstreamClient; readonly bucket: string; readonly key: string };

export const PROBE_PREFIX = `${HIDDEN_PREFIX}probe/`;

export const newProbeKey = (random: (bytes: number) => Uint8Array): string =>
  `${PROBE_PREFIX}${Buffer.from(random(16)).toString('hex')}`;

/** All keys of the probe of this key. */
export const probeNames = (key: string) => ({ own: key, some: `${key}-some`, copy: `${key}-copy` }) as const;

const PROBE_NAME = /^(\.sealgate\/probe\/[0-9a-f]{32})(?:-some|-copy)?$/u;

/** The key of the probe that has something of this name. */
export const probeOf = (name: string): string | undefined => PROBE_NAME.exec(name)?.[1];

/** Rejects where the store does not answer, or does not let something be deleted; the rest is gone nevertheless. */
export async function clearProbe({ upstream, bucket, key }: ProbePlace): Promise<void> {
  const places = Object.values(probeNames(key)).map((name) => ({ upstream, bucket, key: name }));
  const outcomes = await Promise.allSettled([...places.map(abortUploads), deleteEach(places)]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

/** One after another: s3rver breaks down where several empty a folder. */
async function deleteEach(places: readonly ProbePlace[]): Promise<void> {
  const failures: unknown[] = [];
  for (const place of places) await deleteHiddenKey(place, place.key).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** The exact key is the prefix: MinIO lists the uploads of that alone. A store without such a list refuses, or answers with another. */
async function abortUploads({ upstream, bucket, key }: ProbePlace): Promise<void> {
  const query = new Map([
    ['uploads', ''],
    ['prefix', key],
  ]);
  const response = await upstream.send({ method: 'GET', bucket, query });
  const text = await response.body.text(MAX_LIST_BYTES);
  if (response.status !== 200) return;
  for (const row of childrenOf(parseXml(text, 'ListMultipartUploadsResult'), 'Upload')) {
    const uploadId = childText(row, 'UploadId') ?? '';
    if (childText(row, 'Key') !== key || uploadId === '') continue;
    const ended = await upstream.send({ method: 'DELETE', bucket, key, query: new Map([['uploadId', uploadId]]) });
    await ended.body.release();
  }
}
