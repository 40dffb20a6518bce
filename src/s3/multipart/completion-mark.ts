/**
 * Completing and aborting one upload at the same time: some stores do both. Ceph RGW 16 answers each with success, and two hours later
 * collects the data of the completed object as garbage. So each says first what it is about to do and then looks for the other: who
 * completes puts a mark and looks for the token, who aborts deletes the token and looks for marks. In whatever order, by whatever replicas:
 * at most one of them goes on.
 */
import {
  hiddenMarkKey,
  hiddenTokenKey,
  hiddenUploadPrefix,
  parseHiddenKey,
} from '../../envelope/object/hidden-object.ts';
import { S3Error } from '../errors.ts';
import { deleteHiddenKey, listHidden } from '../listing/delete-hidden.ts';
import type { GatewayContext } from '../operation.ts';
import { MARK_COUNTS_MS, MARK_RENEWED_MS } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import type { OpenUpload } from './open-upload.ts';
import { fetchPartsPage } from './list-parts-page.ts';
import { isOpen } from './token-objects.ts';

const MARK_ID_BYTES = 8;

/** Does `work` while the upload is marked as being completed. Throws ERR_S3_NO_SUCH_UPLOAD where it is over, or is being aborted. */
export async function markedAsCompleting<T>(
  gateway: GatewayContext,
  upload: OpenUpload,
  work: () => Promise<T>,
): Promise<T> {
  const { bucket, objectId } = upload;
  const key = hiddenMarkKey(objectId, gateway.random(MARK_ID_BYTES));
  const mark = async (): Promise<void> => {
    const put = await sendOrThrow(gateway, { method: 'PUT', bucket, key, body: new Uint8Array(0) });
    await put.body.release();
  };
  await mark();
  try {
    if (!(await isOpen(gateway, upload))) throw new S3Error('ERR_S3_NO_SUCH_UPLOAD');
    // On success the mark is swept with all else.
    return await renewing(mark, gateway, work);
  } catch (error) {
    if (!mayGoOn(error)) await withdraw(gateway, upload, key);
    throw error;
  }
}

/** Does `work`, and meanwhile `renew` again and again: none of it is under way any more when this is over, or it would put back what is swept. */
async function renewing<T>(renew: () => Promise<void>, { log }: GatewayContext, work: () => Promise<T>): Promise<T> {
  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(renew).catch((error: unknown) => log.warn({ err: error }, 'a mark could not be renewed'));
  }, MARK_RENEWED_MS).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await last;
  }
}

/** The backend was not heard to end: it may still be completing. Then the mark stays until it counts no more. */
const mayGoOn = (error: unknown): boolean =>
  error instanceof S3Error &&
  (error.code === 'ERR_S3_UPSTREAM_TIMEOUT' || error.code === 'ERR_S3_UPSTREAM_UNREACHABLE');

async function withdraw({ upstream, log }: GatewayContext, { bucket }: OpenUpload, key: string): Promise<void> {
  try {
    await deleteHiddenKey({ upstream, bucket }, key);
  } catch (error) {
    log.warn({ err: error, bucket }, 'the mark of a completion could not be deleted');
  }
}

/**
 * Takes the token away, so that nobody completes from now on. Throws ERR_S3_SLOW_DOWN where somebody is at it, or was when its gateway died: the
 * backend may be completing still. Where the upload is over there is nothing to wait for: ERR_S3_NO_SUCH_UPLOAD.
 */
export async function closeForAbort(gateway: GatewayContext, upload: OpenUpload): Promise<void> {
  const { bucket, objectId } = upload;
  const place = { upstream: gateway.upstream, bucket };
  await deleteHiddenKey(place, hiddenTokenKey(objectId));
  const left = await listHidden(place, hiddenUploadPrefix(objectId));
  const counts = left.some(
    ({ key, lastModified }) =>
      parseHiddenKey(key)?.type === 'mark' && !(gateway.now() - Date.parse(lastModified) > MARK_COUNTS_MS),
  );
  if (!counts) return;
  const backend = await gateway.caches.backend.learn(gateway, bucket);
  // Throws where the upload is over.
  if (backend?.listsParts === true) await fetchPartsPage(gateway, upload, { marker: 0, maxParts: 1 });
  throw new S3Error('ERR_S3_SLOW_DOWN', 'This upload is being completed. Please try again.');
}
