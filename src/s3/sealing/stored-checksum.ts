/**
 * The checksum of the plaintext, stored sealed at the object's end, for a GET or HEAD that asks by `x-amz-checksum-mode`. Where it is not at
 * hand it costs reads of the object's ends, so only where the envelope says that there is one. Ranges are answered without, as by S3.
 */
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import type { PlacedPart } from '../../envelope/object/part-table.ts';
import { openRecord, type BodyRecord } from '../../envelope/object/record.ts';
import { BODY_PREFIX_BYTES, paddingOf, RECORD_BYTES } from '../../envelope/object/sizes.ts';
import { openPrefix } from '../../envelope/object/stream.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import { objectChecksumHeaders, toBase64 } from './checksum-headers.ts';
import type { ObjectKey } from './data-key.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import { fetchStored, type StoredAnswer } from './fetch-stored.ts';
import { bodyShape, layoutOf, type ObjectLayout } from './object-layout.ts';
import { opening } from './sealed-errors.ts';
import type { Selection } from './selection.ts';

/** Whether a checksum is asked for and there is one. */
export const showsChecksum = ({ headers }: S3Request, { envelope }: OpenedEnvelope): boolean =>
  headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && envelope.checksum !== undefined;

/** Headers for the whole object. */
export async function wholeChecksum(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  opened: OpenedEnvelope,
): Promise<S3Headers> {
  if (!showsChecksum(request, opened)) return {};
  const layout = await layoutOf(request, gateway, stored, opened);
  const checksum = await checksumOf(request, gateway, stored, opened.key, layout);
  return checksum === undefined ? {} : objectChecksumHeaders(checksum, layout.parts.length);
}

/** Headers for a part that is asked for by number: its own checksum, where the object's is made of the parts'. Of a range there are none. */
export async function selectedChecksum(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  opened: OpenedEnvelope,
  { selection, layout }: { readonly selection: Selection; readonly layout: ObjectLayout },
): Promise<S3Headers> {
  if (selection.type !== 'part' || !showsChecksum(request, opened)) return {};
  // A single PUT's only part is the object.
  if (layout.type === 'single') return wholeChecksum(request, gateway, stored, opened);
  if (layout.checksum?.type !== 'COMPOSITE') return {};
  const part = layout.parts.find(({ partNumber }) => partNumber === selection.partNumber);
  const { digests } =
    part === undefined ? { digests: {} } : await partRecord(request, gateway, stored, opened.key, { layout, part });
  const { algorithm, type } = layout.checksum;
  const value = digests[algorithm];
  return value === undefined ? {} : { [`x-amz-checksum-${algorithm}`]: toBase64(value), 'x-amz-checksum-type': type };
}

/** The object's checksum, where it has one: of a multipart object from its sealed list, of a single PUT from its record. */
export async function checksumOf(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  key: ObjectKey,
  layout: ObjectLayout,
): Promise<ObjectChecksum | undefined> {
  const [part] = layout.parts;
  if (layout.type === 'multipart' || part === undefined) return layout.checksum;
  return recordChecksum(await partRecord(request, gateway, stored, key, { layout, part }));
}

/** The checksum of a single PUT that clients are shown. */
export function recordChecksum({ digests, clientChecksum }: BodyRecord): ObjectChecksum | undefined {
  const value = clientChecksum === undefined ? undefined : digests[clientChecksum];
  return clientChecksum === undefined || value === undefined
    ? undefined
    : { algorithm: clientChecksum, type: 'FULL_OBJECT', value };
}

/** Headers for a single PUT whose record is at hand. */
export function recordHeaders(request: S3Request, opened: OpenedEnvelope, record: BodyRecord | undefined): S3Headers {
  const checksum = record === undefined ? undefined : recordChecksum(record);
  return checksum === undefined || !showsChecksum(request, opened) ? {} : objectChecksumHeaders(checksum, 1);
}

/** The record behind a part's stream. Two short reads at once; its header is remembered. */
export async function partRecord(
  request: S3Request,
  gateway: GatewayContext,
  stored: Pick<StoredAnswer, 'key' | 'versionId' | 'etag' | 'storedSize'>,
  { dek, objectId }: ObjectKey,
  { layout, part }: { readonly layout: ObjectLayout; readonly part: PlacedPart },
): Promise<BodyRecord> {
  const { partNumber, storedStart, storedLength } = part;
  const end = storedStart + storedLength - paddingOf(bodyShape(layout, part));
  const read = (from: number, length: number): Promise<Uint8Array> =>
    fetchStored(request, gateway, stored, { from, to: from + length - 1 });
  const [prefix, sealed] = await Promise.all([
    layout.prefixes.get(partNumber) ?? read(storedStart, BODY_PREFIX_BYTES),
    read(end - RECORD_BYTES, RECORD_BYTES),
  ]);
  return opening(() => {
    const { header, headerBytes, salt } = openPrefix(prefix, dek, objectId);
    layout.prefixes.set(partNumber, prefix);
    const place = { dek, objectId, salt, header: headerBytes, plainLength: header.plainLength };
    return openRecord(sealed, place);
  });
}
