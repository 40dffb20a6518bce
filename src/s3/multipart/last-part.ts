/**
 * The end of a multipart object: the sealed list of its parts. A last part that was held until now (a short one, or part 10 000) is sealed
 * anew with the list in its padding; any other is followed by a part of no plaintext that holds it.
 */
import { concatBytes } from '../../crypto/bytes.ts';
import { BodySealer } from '../../envelope/object/body-sealer.ts';
import {
  encodeFooter,
  FOOTER_PART_NUMBER,
  SALT_REFERENCE_BYTES,
  sealFooterPart,
  type FooterInput,
} from '../../envelope/object/footer.ts';
import type { BodyRecord } from '../../envelope/object/record.ts';
import { SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { onCopyLane } from '../copy/copy-lane.ts';
import { S3Error } from '../errors.ts';
import { STREAM_COST_BYTES } from '../limits.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { sealedEnding } from '../sealing/sealed-body.ts';
import { storeBackendPart, type BackendPart } from './backend-part.ts';
import { openHeldPart, partDetails, readHeldPart } from './held-part.ts';
import type { FoundPart, FoundParts } from './named-parts.ts';
import type { OpenUpload } from './open-upload.ts';
import { partList, refuseSize, type NamedAndFound } from './part-list.ts';
import { refuseUnlessHoldable } from './whole-part.ts';

export type EndedObject = { readonly parts: readonly BackendPart[]; readonly footer: FooterInput };

/** An end that was stored, and the list that it holds. */
type StoredEnd = { readonly end: BackendPart; readonly footer: FooterInput };

type Ending = {
  readonly request: S3Request;
  readonly gateway: GatewayContext;
  readonly upload: OpenUpload;
  readonly key: ObjectKey;
  readonly parts: NamedAndFound & FoundParts;
  readonly last: FoundPart;
};

/** Bytes a short held part needs: stored, opened and sealed anew. */
const HELD_PART_COST_BYTES = 3 * SHORT_PART_BYTES;

/** Writes the end of the object. Gives the parts to complete with. */
export async function storeLastPart(
  request: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  key: ObjectKey,
  parts: NamedAndFound & FoundParts,
): Promise<EndedObject> {
  const last = parts.found.at(-1);
  if (last === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  const ending = { request, gateway, upload, key, parts, last };
  const stored = parts.found.map(({ number, etag }) => ({ number, etag }));
  if (last.plainLength !== undefined) {
    const { end, footer } = await storeFooterPart(ending);
    return { parts: [...stored, end], footer };
  }
  const { end, footer } = await (last.number === FOOTER_PART_NUMBER ? resealFlowing(ending) : resealShort(ending));
  return { parts: stored.with(-1, end), footer };
}

async function storeFooterPart({ request, gateway, upload, key, parts }: Ending): Promise<StoredEnd> {
  const footer = await partList(request, gateway, upload, parts);
  const body = sealFooterPart(footer, key.dek, key.objectId, gateway.random);
  return { end: await storeBackendPart(request, gateway, upload, FOOTER_PART_NUMBER, { body }), footer };
}

async function resealShort(ending: Ending): Promise<StoredEnd> {
  const { request, gateway, upload, key, parts, last } = ending;
  const { signal, client } = request;
  // A store that wants every part named (Ceph RGW) would miss the end that an earlier completion left, and no part can be taken away again.
  const number = parts.hasEnd ? FOOTER_PART_NUMBER : last.number;
  const share = await gateway.governor.take(HELD_PART_COST_BYTES, { signal, holder: client });
  try {
    const { plaintext, record } = await readHeldPart(gateway, upload, last, key);
    const sealer = finalSealer(ending, plaintext.length);
    const { footer, block } = await sealedList(ending, sealer, plaintext.length, record);
    const body = concatBytes(sealer.header(), ...sealer.push(plaintext), ...sealer.finish(record, block));
    return { end: await storeBackendPart(request, gateway, upload, number, { body }), footer };
  } finally {
    share.giveBack();
  }
}

/** Whatever its length: opened, sealed and sent as it is read. What the list says is known when all was read, and it comes last. */
async function resealFlowing(ending: Ending): Promise<StoredEnd> {
  const { request, gateway, upload, key, parts, last } = ending;
  const { signal, client } = request;
  const share = await gateway.governor.take(STREAM_COST_BYTES, { signal, holder: client });
  const over = new AbortController();
  try {
    const reading = AbortSignal.any([signal, over.signal]);
    const { plainLength, body, record } = await openHeldPart(gateway, upload, last, key, reading);
    // Before all of it is moved.
    refuseSize(request, parts.found.with(-1, { ...last, plainLength }));
    // It was let in before the bucket had Object Lock, or was known to: the upload stays open, for a shorter one under this number.
    await refuseUnlessHoldable(request, gateway, plainLength, partDetails(last));
    const sealer = finalSealer(ending, plainLength);
    let footer: FooterInput | undefined;
    const content = await sealedEnding(body, sealer, async () => {
      const list = await sealedList(ending, sealer, plainLength, record());
      footer = list.footer;
      return sealer.finish(record(), list.block);
    });
    const end = await storeBackendPart(request, onCopyLane(gateway), upload, last.number, content);
    // A store that answers before it has all.
    if (footer === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
    return { end, footer };
  } finally {
    over.abort(new Error('what was held is not read any more'));
    share.giveBack();
  }
}

const finalSealer = ({ gateway, key, last }: Ending, plainLength: number): BodySealer =>
  new BodySealer({ ...key, partNumber: last.number, plainLength, final: true }, gateway.random);

/** The list with what is known by now of the part that holds it. */
async function sealedList(
  { request, gateway, upload, key, parts, last }: Ending,
  { salt }: BodySealer,
  plainLength: number,
  { digests }: BodyRecord,
): Promise<{ readonly footer: FooterInput; readonly block: Uint8Array }> {
  const measured = { ...last, plainLength, saltId: salt.slice(0, SALT_REFERENCE_BYTES), digests };
  const footer = await partList(request, gateway, upload, { ...parts, found: parts.found.with(-1, measured) });
  return { footer, block: encodeFooter(footer, key.dek, key.objectId, gateway.random) };
}
