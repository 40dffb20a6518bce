/**
 * The parts a client names on completion, found: at the backend, or, the last one, among the held. Lengths come from the backend's list;
 * where it has none, from the ETags.
 */
import type { BodyDigests } from '../../envelope/object/record.ts';
import { FOOTER_PART_NUMBER } from '../../envelope/object/footer.ts';
import { hiddenPartKey } from '../../envelope/object/hidden-object.ts';
import { plainSize } from '../../envelope/object/sizes.ts';
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import type { ProbedCapabilities } from '../check.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext } from '../operation.ts';
import { bareEtag } from '../sealing/etag.ts';
import type { NamedPart } from './complete-document.ts';
import { partDetails } from './held-part.ts';
import { knownPartName, parsePartEtag } from './known-parts.ts';
import { fetchAllParts, type StoredPart } from './list-parts-page.ts';
import { uploadName, type OpenUpload } from './open-upload.ts';

export type FoundPart = {
  readonly number: number;
  /** The backend's, without quotes. */
  readonly etag: string;
  /** Undefined for a held part: it is read. */
  readonly plainLength: number | undefined;
  /** Where it is known. */
  readonly saltId: Uint8Array | undefined;
  /** Of its plaintext, those that are known. */
  readonly digests: BodyDigests;
};

export type FoundParts = {
  readonly found: readonly FoundPart[];
  /** The backend lists a part of the footer part's number: a completion before this one has put it there, and failed. */
  readonly hasEnd: boolean;
};

/** Throws ERR_S3_INVALID_PART, ERR_S3_ENTITY_TOO_SMALL, or the backend's refusal (NoSuchUpload). */
export async function findParts(
  gateway: GatewayContext,
  upload: OpenUpload,
  named: readonly NamedPart[],
): Promise<FoundParts> {
  const known = await gateway.caches.backend.learn(gateway, upload.bucket);
  const listed = known?.listsParts === false ? undefined : await listParts(gateway, upload, known);
  // Which attempt it would read nobody knows.
  if (listed === undefined && gateway.caches.partsInFlight.has(uploadName(upload)))
    throw new S3Error('ERR_S3_SLOW_DOWN', 'A part of this upload is on its way. Please try again.');
  const found = named.map((part) => findPart(gateway, upload, part, listed?.parts));
  const short = found.slice(0, -1).find(({ plainLength = 0 }) => plainLength < SHORT_PART_BYTES);
  if (short !== undefined) throw await notStored(gateway, upload, short);
  // The store would refuse it when the end is written already, which it would then want named as well.
  if (known?.completesWithSomeParts === false && leavesSome(found, listed?.parts)) {
    const last = found.at(-1);
    throw last === undefined || last.plainLength !== undefined || (await heldSize(gateway, upload, last)) !== undefined
      ? new S3Error('ERR_S3_INVALID_PART')
      : noPart(last);
  }
  return { found, hasEnd: listed?.hasEnd === true };
}

/** A store of which nothing is known yet may list none: that is no answer to the client's completion. */
async function listParts(
  gateway: GatewayContext,
  upload: OpenUpload,
  known: ProbedCapabilities | undefined,
): ReturnType<typeof fetchAllParts> {
  try {
    return await fetchAllParts(gateway, upload);
  } catch (error) {
    if (known !== undefined || !(error instanceof S3Error && (error.status === 405 || error.status === 501)))
      throw error;
    const text = 'What the storage does with uploads is not known yet. Please try again.';
    throw new S3Error('ERR_S3_SLOW_DOWN', text, { cause: error });
  }
}

function leavesSome(found: readonly FoundPart[], listed: ReadonlyMap<number, StoredPart> = new Map()): boolean {
  const numbers = new Set(found.map(({ number }) => number));
  return [...listed.keys()].some((number) => !numbers.has(number));
}

function findPart(
  { caches }: GatewayContext,
  { objectId }: OpenUpload,
  { number, etag }: NamedPart,
  listed: ReadonlyMap<number, StoredPart> | undefined,
): FoundPart {
  const { upstream, known: carried } = parsePartEtag(etag);
  const remembered = caches.knownParts.get(knownPartName(objectId, number, upstream));
  const known = carried ?? remembered;
  const stored = listed?.get(number);
  const ofStored = stored?.etag === upstream ? stored.plainLength : undefined;
  // A client's part of the footer's number is always held, whatever its ETag says.
  const said = number === FOOTER_PART_NUMBER ? undefined : carried?.plainLength;
  const length = listed === undefined ? said : ofStored;
  // A list of parts by it would be sealed, and the object never open.
  if (known !== undefined && length !== undefined && known.plainLength !== length)
    throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The storage lists a part with another size than was sent.');
  return {
    number,
    etag: upstream,
    plainLength: length,
    saltId: known?.saltId,
    digests: remembered?.digests ?? {},
  };
}

/** A held part before the last is too small; what is neither stored nor held is no part of the upload. */
async function notStored(gateway: GatewayContext, upload: OpenUpload, part: FoundPart): Promise<S3Error> {
  const length = part.plainLength ?? (await heldSize(gateway, upload, part));
  return length === undefined ? noPart(part) : tooSmall(part, length);
}

/** The plaintext's, of a held part; undefined where none is held. */
async function heldSize(
  gateway: GatewayContext,
  { bucket, objectId }: OpenUpload,
  { number, etag }: FoundPart,
): Promise<number | undefined> {
  const response = await gateway.upstream.send({ method: 'HEAD', bucket, key: hiddenPartKey(objectId, number) });
  await response.body.release();
  const isHeld = response.status === 200 && bareEtag(response.headers['etag'] ?? '') === etag;
  return isHeld ? plainSize(Number(response.headers['content-length'])) : undefined;
}

const noPart = (part: FoundPart): S3Error =>
  new S3Error('ERR_S3_INVALID_PART', undefined, { details: partDetails(part) });

const tooSmall = (part: FoundPart, length: number): S3Error =>
  new S3Error('ERR_S3_ENTITY_TOO_SMALL', undefined, {
    details: {
      ProposedSize: String(length),
      MinSizeAllowed: String(SHORT_PART_BYTES),
      ...partDetails(part),
    },
  });
