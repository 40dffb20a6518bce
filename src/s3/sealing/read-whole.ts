/** The whole object. The last piece of plaintext leaves only when the object was proven whole. */
import type { ByteSource } from '../bodies/byte-source.ts';
import { freeBytes } from '../bodies/spent-bytes.ts';
import { ObjectOpener, type ListedParts, type OpenedObject } from '../../envelope/object/object-opener.ts';
import type { ObjectLayout as ObjectKind } from '../../envelope/object/object-envelope.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { UpstreamBody } from '../upstream/client.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import type { StoredAnswer } from './fetch-stored.ts';
import { partsInEtag } from './etag.ts';
import { footerLayout, knownLayout, readFooter, rememberLayout, singleLayout } from './object-layout.ts';
import { asOpeningError, invalidObject } from './sealed-errors.ts';
import { opened, segmentRoom, type SegmentRoom } from './segment-room.ts';
import { MAX_PART_PLAIN_BYTES, plainSizeOfMultipart, segmentSizeOf } from '../../envelope/object/sizes.ts';

/**
 * Bytes of plaintext, for HEAD: by arithmetic where the ETag counts parts. Throws
 * ERR_S3_SEALED_OBJECT_INVALID where no sealed object has such a size.
 */
export async function plaintextLength(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  opened: OpenedEnvelope,
): Promise<number> {
  const parts = opened.envelope.layout === 'single' ? undefined : partsInEtag(stored.etag);
  if (parts !== undefined) return plainSizeOfMultipart(stored.storedSize, parts) ?? fail();
  return (await wholeObject(request, gateway, stored, opened)).length;
}

const fail = (): never => {
  throw invalidObject();
};

/** Length and parts of an object that is read whole. */
export type WholeObject = { readonly length: number; readonly footer: ListedParts | undefined };

/**
 * Learnt before the first byte of plaintext leaves: of a multipart object from its sealed list, so that no part that was taken out, or
 * put elsewhere, is missed until the end (numbers may have gaps: only the list tells a gap from a part that was taken out). One read of the tail, unless the layout is remembered.
 */
export async function wholeObject(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { envelope, key }: OpenedEnvelope,
): Promise<WholeObject> {
  if (envelope.layout === 'single') return { length: singleLayout(stored).plainSize, footer: undefined };
  const known = knownLayout(request, gateway);
  if (known?.etag === stored.etag && known.storedSize === stored.storedSize) {
    const { parts, plainSize } = known;
    const partNumbers = parts.map(({ partNumber }) => partNumber);
    return { length: plainSize, footer: { partCount: parts.length, partNumbers, parts } };
  }
  const footer = await readFooter(request, gateway, stored, key);
  const layout = footerLayout(stored, footer);
  if (layout !== undefined) rememberLayout(request, gateway, layout);
  return { length: footer.plainSize, footer };
}

/** What opening it needs beside the common share: to be taken before the answer begins. */
export const roomForWhole = (
  request: S3Request,
  gateway: GatewayContext,
  { envelope }: OpenedEnvelope,
  { length, footer }: WholeObject,
): Promise<SegmentRoom> => segmentRoom(gateway, request, largestSegment(envelope.layout, length, footer));

/** The plaintext, exactly `length` bytes of it, or an error before its last byte. */
export const openWhole = (
  stored: UpstreamBody,
  { envelope, key }: OpenedEnvelope,
  { length, footer }: WholeObject,
  room: SegmentRoom,
  onProven: (proven: OpenedObject) => void,
): ByteSource => ({
  pour: async (take) => {
    const opener = new ObjectOpener({ dek: key.dek, objectId: envelope.objectId, layout: envelope.layout, footer });
    let left = length;
    const push = (chunk: Uint8Array, out: Uint8Array[]): void => {
      for (const plain of opener.push(chunk)) {
        left -= plain.length;
        if (plain.length > 0) out.push(plain);
      }
      // A header that says more than was promised: the answer must not end as if it were whole.
      if (left < 0) throw invalidObject();
      // What was decrypted of it is a copy.
      freeBytes(chunk);
    };
    try {
      await stored.pour(opened(push, take, room));
      const proven = opener.finish();
      if (proven.plainSize !== length) throw invalidObject();
      onProven(proven);
    } catch (error) {
      throw asOpeningError(error);
    } finally {
      room.giveBack();
    }
  },
});

/** A footer without the lengths leaves as much for each part as the object has. */
function largestSegment(layout: ObjectKind, length: number, footer: ListedParts | undefined): number {
  if (layout === 'single') return 0;
  const most = Math.min(length, MAX_PART_PLAIN_BYTES);
  const parts = footer?.parts ?? footer?.partNumbers.map((partNumber) => ({ partNumber, plainLength: most })) ?? [];
  return parts.reduce((largest, part) => Math.max(largest, segmentSizeOf({ layout: 'part', ...part })), 0);
}
