/**
 * What uploads left in a bucket that ended past the gateway: by a lifecycle rule of the store, or because a gateway died before it had swept.
 * Tokens, held parts and marks of such uploads are hidden, sealed and small, but they would stay for ever.
 *
 * An upload's hidden objects are swept where nothing was written to them for a day, and the store, asked after they were listed, knows of no
 * such upload. Not every store lists uploads, or all of them (MinIO lists none without their exact key): so an upload is made that has to be in the list, and
 * without it nothing is swept. Uploads are known by the store's ids alone.
 */
import {
  HIDDEN_PREFIX,
  hiddenTokenKey,
  hiddenUploadPrefix,
  parseHiddenKey,
} from '../../envelope/object/hidden-object.ts';
import { deleteHidden, objectPages, type HiddenPlace } from '../listing/delete-hidden.ts';
import { childrenOf, childText, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import type { GatewayContext } from '../operation.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { MAX_LIST_BYTES, MAX_SWEPT_UPLOADS, SIZE_LOOKUPS_AT_ONCE, SWEEP_AGE_MS } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { sweepProbes } from '../sweep-probes.ts';
import { UPLOAD_ID_MARK_NAME, uploadIdMark } from './token-objects.ts';

/** In the background, and seldom. */
export function sweepWhenDue(gateway: GatewayContext, bucket: string): void {
  const { caches, log } = gateway;
  void caches.sweeps.run(bucket, gateway.now(), async () => {
    try {
      const swept = await sweepBucket(gateway, bucket);
      if (swept > 0) log.info({ bucket, swept }, 'what uploads that are over had left behind was swept');
    } catch (error) {
      log.warn({ err: error, bucket }, 'what uploads left behind could not be swept');
    }
    // By itself: who may not list uploads may well delete objects.
    try {
      await sweepProbes({ upstream: gateway.upstream, bucket }, gateway.now());
    } catch (error) {
      log.warn({ err: error, bucket }, 'what probes left behind could not be swept');
    }
  });
}

/** Gives the number of uploads whose hidden objects are gone. */
export async function sweepBucket(gateway: GatewayContext, bucket: string): Promise<number> {
  const place = { upstream: gateway.upstream, bucket };
  const quiet = await quietUploads(place, gateway.now());
  if (quiet.length === 0) return 0;
  const over = new Map<string, Uint8Array>();
  await mapBounded(quiet, SIZE_LOOKUPS_AT_ONCE, async (objectId) => {
    over.set(await idMarkOf(place, objectId), objectId);
  });
  over.delete(UNKNOWN);
  const isReliable = await withWitness(gateway, place, (witness) => forgetOpen(place, over, witness, gateway.now()));
  if (!isReliable) return 0;
  let swept = 0;
  for (const [mark, objectId] of over) {
    // Whoever failed to abort it has put its token back.
    if ((await idMarkOf(place, objectId)) !== mark) continue;
    await deleteHidden(place, hiddenUploadPrefix(objectId));
    swept += 1;
  }
  return swept;
}

/** Object ids of uploads of which something is here, and nothing that is younger than a day. */
async function quietUploads(place: HiddenPlace, now: number): Promise<readonly Uint8Array[]> {
  const found = new Map<string, { readonly objectId: Uint8Array; isQuiet: boolean }>();
  for await (const page of objectPages(place, HIDDEN_PREFIX)) {
    for (const { key, lastModified } of page) {
      const name = parseHiddenKey(key);
      if (name === undefined) continue;
      const id = Buffer.from(name.objectId).toString('hex');
      const upload = found.get(id) ?? { objectId: name.objectId, isQuiet: true };
      // A date that is none is not old.
      upload.isQuiet &&= now - Date.parse(lastModified) > SWEEP_AGE_MS;
      found.set(id, upload);
    }
    if (found.size > MAX_SWEPT_UPLOADS) break;
  }
  const uploads = [...found.values()];
  // Of the last one more may follow.
  const whole = found.size > MAX_SWEPT_UPLOADS ? uploads.slice(0, -1) : uploads;
  return whole.filter(({ isQuiet }) => isQuiet).map(({ objectId }) => objectId);
}

/** Stands for no upload: of this one nothing is touched. */
const UNKNOWN = '';

/** Without a token the upload was closed by who aborted it, or by a rule that expires objects: nobody can complete it, but which it is nobody can tell. */
async function idMarkOf({ upstream, bucket }: HiddenPlace, objectId: Uint8Array): Promise<string> {
  const response = await upstream.send({ method: 'HEAD', bucket, key: hiddenTokenKey(objectId) });
  await response.body.release();
  if (response.status === 404) return `closed ${Buffer.from(objectId).toString('hex')}`;
  return response.status === 200 ? (response.headers[UPLOAD_ID_MARK_NAME] ?? UNKNOWN) : UNKNOWN;
}

const WITNESS_PREFIX = `${HIDDEN_PREFIX}sweep/`;

/** An upload of our own, for as long as `look` looks for it. */
async function withWitness(
  gateway: GatewayContext,
  place: HiddenPlace,
  look: (witness: string) => Promise<boolean>,
): Promise<boolean> {
  const { bucket } = place;
  const key = `${WITNESS_PREFIX}${Buffer.from(gateway.random(8)).toString('hex')}`;
  const made = await sendOrThrow(gateway, { method: 'POST', bucket, key, query: new Map([['uploads', '']]) });
  const root = parseXml(await made.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const id = childText(root, 'UploadId') ?? '';
  if (id === '') return false;
  try {
    return await look(uploadIdMark(id));
  } finally {
    await abort(place, key, id);
  }
}

async function abort({ upstream, bucket }: HiddenPlace, key: string, uploadId: string): Promise<void> {
  const ended = await upstream.send({ method: 'DELETE', bucket, key, query: new Map([['uploadId', uploadId]]) });
  await ended.body.release();
}

/** Takes out of `over` what the store knows as open. False where its list cannot be relied on. */
async function forgetOpen(
  place: HiddenPlace,
  over: Map<string, Uint8Array>,
  witness: string,
  now: number,
): Promise<boolean> {
  let isWitnessed = false;
  for (let from: Marker | undefined; ;) {
    const root = await uploadsPage(place, from);
    if (root === undefined) return false;
    const rows = childrenOf(root, 'Upload');
    for (const row of rows) {
      const [key = '', id = ''] = [childText(row, 'Key'), childText(row, 'UploadId')];
      const mark = uploadIdMark(id);
      isWitnessed ||= mark === witness;
      over.delete(mark);
      // Of a gateway that died while it looked.
      if (key.startsWith(WITNESS_PREFIX) && now - Date.parse(childText(row, 'Initiated') ?? '') > SWEEP_AGE_MS)
        await abort(place, key, id);
    }
    if (childText(root, 'IsTruncated') !== 'true')
      return isWitnessed && (from !== undefined || !isFull(root, rows.length));
    const next = markerOf(root);
    if (next === undefined || (next.key === from?.key && next.uploadId === from.uploadId)) return false;
    from = next;
  }
}

const MAX_UPLOADS_LISTED = 1000;

/** As many as a page may have: where that is said to be all of them, the store knows no pages, or cuts its list and does not say so. */
function isFull(root: XmlTree, rows: number): boolean {
  const limit = Number(childText(root, 'MaxUploads'));
  return rows >= (limit > 0 ? Math.min(limit, MAX_UPLOADS_LISTED) : MAX_UPLOADS_LISTED);
}

type Marker = { readonly key: string; readonly uploadId: string };

/** Undefined where the key may be another one than the store means: what lies between would be passed over. */
function markerOf(root: XmlTree): Marker | undefined {
  const [key, uploadId] = [childText(root, 'NextKeyMarker'), childText(root, 'NextUploadIdMarker')];
  if (key === undefined || uploadId === undefined || !/^[!-$&-*,-~]+$/u.test(key)) return undefined;
  return { key, uploadId };
}

/** Undefined where the store has no such list. */
async function uploadsPage({ upstream, bucket }: HiddenPlace, from: Marker | undefined): Promise<XmlTree | undefined> {
  const markers =
    from === undefined
      ? []
      : ([
          ['key-marker', from.key],
          ['upload-id-marker', from.uploadId],
        ] as const);
  const response = await upstream.send({ method: 'GET', bucket, query: new Map([['uploads', ''], ...markers]) });
  const text = await response.body.text(MAX_LIST_BYTES);
  return response.status === 200 ? parseXml(text, 'ListMultipartUploadsResult') : undefined;
}
