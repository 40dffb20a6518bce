/**
 * The plaintext size of a row of a listing. By arithmetic where the backend's ETags count parts: exact, no look-ups. Elsewhere a row is
 * looked up once (bounded in number, remembered by ETag and size), by its clear metadata and, for multipart objects, its sealed footer.
 * So is each row that may lie plain, where the rule lets such objects be read: its ETag and size may be those of a sealed one.
 */
import { plainSize, plainSizeOfMultipart } from '../../envelope/object/sizes.ts';
import { ENVELOPE_METADATA_NAME } from '../../envelope/object/object-envelope.ts';
import { SealgateError } from '../../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import { readsPlain } from '../plain/plain-mode.ts';
import { openEnvelope, readEnvelope } from '../sealing/envelope-headers.ts';
import { partsInEtag } from '../sealing/etag.ts';
import { storedAnswer } from '../sealing/fetch-stored.ts';
import { readFooter } from '../sealing/object-layout.ts';
import type { ListRow } from './list-page.ts';

/** Of a row whose ETag alone says it, without waiting: nearly all, of most stores. Undefined: `plaintextSize` says it. */
export function sizeAtHand({ etag, size }: ListRow, isMixed: boolean): number | undefined {
  const parts = isMixed ? undefined : partsInEtag(etag);
  return parts === undefined ? undefined : (plainSizeOfMultipart(size, parts) ?? size);
}

/** Bytes of plaintext; the stored size where the row is nothing sealed (reading it fails, listing must not). */
export async function plaintextSize(row: ListRow, request: S3Request, gateway: GatewayContext): Promise<number> {
  const calculated = await calculatedSize(row, request, gateway);
  const isMixed = readsPlain(gateway.rules.forKey(request.bucket, row.key), gateway);
  if (calculated !== undefined && (!isMixed || calculated === row.size)) return calculated;
  if (gateway.options.listSizes === 'stored') return row.size;
  const name = JSON.stringify([request.bucket, row.key, row.etag, row.size, isMixed]);
  const known = gateway.caches.sizes.get(name);
  if (known !== undefined) return known;
  const size = await lookUp(row, request, gateway, { isMixed, calculated });
  if (size === undefined) return row.size;
  gateway.caches.sizes.set(name, size);
  return size;
}

/** Of a sealed object, where the backend's ETags count parts; the stored size where no sealed object has it. */
async function calculatedSize(row: ListRow, request: S3Request, gateway: GatewayContext): Promise<number | undefined> {
  const parts = partsInEtag(row.etag);
  if (parts !== undefined) return plainSizeOfMultipart(row.size, parts) ?? row.size;
  const backend = await gateway.caches.backend.learn(gateway, request.bucket);
  return backend?.multipartEtagCountsParts === true ? (plainSize(row.size) ?? row.size) : undefined;
}

/** `calculated`: its size if it is sealed. */
type Presumed = { readonly isMixed: boolean; readonly calculated: number | undefined };

/** Undefined where it cannot be known: not sealed, gone meanwhile, or not for this caller to open. */
async function lookUp(
  row: ListRow,
  request: S3Request,
  gateway: GatewayContext,
  { isMixed, calculated }: Presumed,
): Promise<number | undefined> {
  const { bucket, signal } = request;
  const query = row.versionId === undefined ? {} : { query: new Map([['versionId', row.versionId]]) };
  const response = await gateway.upstream.send({ method: 'HEAD', bucket, key: row.key, signal, ...query });
  await response.body.release();
  if (response.status !== 200) return undefined;
  try {
    const stored = storedAnswer(row.key, response);
    if (isMixed && response.headers[ENVELOPE_METADATA_NAME] === undefined) return stored.storedSize;
    if (calculated !== undefined) return calculated;
    if (readEnvelope(response.headers).layout === 'single') return plainSize(stored.storedSize);
    const opened = await openEnvelope(request, gateway, response.headers, { bucket, key: row.key, given: undefined });
    return (await readFooter(request, gateway, stored, opened.key)).plainSize;
  } catch (error) {
    if (error instanceof SealgateError) return undefined;
    throw error;
  }
}
