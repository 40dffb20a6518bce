/**
 * Whether a completed object has the parts that a completion named. Of two completions of one upload that name other parts one comes first, and
 * stores may tell the other of success as well (Ceph RGW 16 does so of any upload that it completed last): who is told so of an object
 * that holds other parts than it named has lost what it uploaded, and does not know.
 */
import { createHash } from 'node:crypto';
import {
  matchesParts,
  SALT_REFERENCE_BYTES,
  type Footer,
  type FooterInput,
  type FooterPart,
} from '../../envelope/object/footer.ts';
import { partTable } from '../../envelope/object/part-table.ts';
import { BODY_PREFIX_BYTES } from '../../envelope/object/sizes.ts';
import { openPrefix } from '../../envelope/object/stream.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { fetchStored, ObjectChanged, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { readFooter } from '../sealing/object-layout.ts';
import { opening } from '../sealing/sealed-errors.ts';
import type { BackendPart } from './backend-part.ts';
import type { NamedPart } from './complete-document.ts';
import { alreadyCompleted } from './complete-upstream.ts';
import { knownPartName, parsePartEtag, type KnownPart } from './known-parts.ts';
import type { OpenUpload } from './open-upload.ts';
import { isHeldUntilEnd } from './part-number.ts';

/**
 * Of an upload that was completed before: whether its list has the parts named here, as far as they are known. Their numbers always are; of a part
 * that was uploaded twice, which of the two, where this process took it or its ETag says so.
 */
export async function listsNamed(
  request: S3Request,
  gateway: GatewayContext,
  completed: { readonly stored: StoredAnswer; readonly key: ObjectKey; readonly footer: Footer },
  named: readonly NamedPart[],
): Promise<boolean> {
  const { footer } = completed;
  const { partNumbers, parts } = footer;
  if (named.length !== partNumbers.length || named.some(({ number }, at) => number !== partNumbers[at])) return false;
  const known = named.map((part) => knownPart(gateway, completed.key, part));
  if (parts?.some(({ plainLength }, at) => plainLength !== (known[at]?.plainLength ?? plainLength)) === true)
    return false;
  if (parts === undefined || footer.saltsDigest === undefined) return true;
  const salts = known.map((part) => part?.saltId);
  const last = parts.at(-1);
  // A last part that was held was sealed anew, with another salt.
  if (last !== undefined && isHeldUntilEnd(last.partNumber, last.plainLength)) {
    salts.splice(-1, 1, await storedSalt(request, gateway, completed, parts));
  }
  const all = salts.filter((salt) => salt !== undefined);
  return all.length < parts.length || matchesParts(footer, parts, all);
}

function knownPart(
  { caches }: GatewayContext,
  { objectId }: ObjectKey,
  { number, etag }: NamedPart,
): KnownPart | undefined {
  const { upstream, known } = parsePartEtag(etag);
  return caches.knownParts.get(knownPartName(objectId, number, upstream)) ?? known;
}

/** Of the last part, as it lies there. */
async function storedSalt(
  request: S3Request,
  gateway: GatewayContext,
  { stored, key }: { readonly stored: StoredAnswer; readonly key: ObjectKey },
  parts: readonly FooterPart[],
): Promise<Uint8Array> {
  const from = partTable(parts).parts.at(-1)?.storedStart ?? 0;
  const prefix = await fetchStored(request, gateway, stored, { from, to: from + BODY_PREFIX_BYTES - 1 });
  return opening(() => openPrefix(prefix, key.dek, key.objectId)).salt.subarray(0, SALT_REFERENCE_BYTES);
}

/** What is over can be neither completed nor written to, whatever the backend said of it. */
export const completedOtherwise = (cause?: unknown): S3Error =>
  new S3Error('ERR_S3_NO_SUCH_UPLOAD', 'The upload was completed with other parts than these.', { cause });

/** Of an upload that the backend says it completes now. Throws ERR_S3_NO_SUCH_UPLOAD where it holds another list than was sent. */
export async function refuseOtherList(
  request: S3Request,
  gateway: GatewayContext,
  upload: Pick<OpenUpload, 'objectId'>,
  key: ObjectKey,
  sent: { readonly parts: readonly BackendPart[]; readonly footer: FooterInput; readonly etag: string },
): Promise<void> {
  if (sent.etag === etagOfParts(sent.parts)) return;
  const there = await alreadyCompleted(request, gateway, upload);
  const footer = there && (await footerOf(request, gateway, there, key));
  // What has been replaced meanwhile tells nothing.
  if (footer === undefined || matchesParts(footer, sent.footer.parts, sent.footer.salts)) return;
  throw completedOtherwise();
}

async function footerOf(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  key: ObjectKey,
): Promise<Footer | undefined> {
  try {
    return await readFooter(request, gateway, stored, key);
  } catch (error) {
    if (error instanceof ObjectChanged) return undefined;
    throw error;
  }
}

/** As S3 and most stores make it: equal only for these very parts. */
const etagOfParts = (parts: readonly BackendPart[]): string => {
  const digests = createHash('md5');
  for (const { etag } of parts) digests.update(Buffer.from(etag, 'hex'));
  return `${digests.digest('hex')}-${parts.length}`;
};
