/**
 * The end of a multipart object: the sealed list of its parts. A short last part, held until now, is sealed anew with the list in its
 * padding; a longer one is followed by a part of no plaintext that holds it.
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
import { MAX_OBJECT_BYTES, SHORT_PART_BYTES } from '../../envelope/limits.ts';
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { ObjectKey } from '../sealing/data-key.ts';
import { bareEtag } from '../sealing/etag.ts';
import { sendToUpload } from '../sealing/upstream-errors.ts';
import type { NamedPart } from './complete-document.ts';
import { readHeldPart } from './held-part.ts';
import type { FoundPart } from './named-parts.ts';
import { objectChecksum } from './object-checksum.ts';
import type { OpenUpload } from './open-upload.ts';

/** A part as the backend is to complete it. */
export type BackendPart = { readonly number: number; readonly etag: string };

export type EndedObject = { readonly parts: readonly BackendPart[]; readonly footer: FooterInput };

type NamedAndFound = { readonly named: readonly NamedPart[]; readonly found: readonly FoundPart[] };

/** Bytes a held part needs: stored, opened and sealed anew. */
const HELD_PART_COST_BYTES = 3 * SHORT_PART_BYTES;

/** Writes the end of the object. Gives the parts to complete with. */
export async function storeLastPart(
  request: S3Request,
  gateway: GatewayContext,
  upload: OpenUpload,
  key: ObjectKey,
  { named, found }: NamedAndFound,
): Promise<EndedObject> {
  const last = found.at(-1);
  if (last === undefined) throw new S3Error('ERR_S3_MALFORMED_XML');
  const stored = found.map(({ number, etag }) => ({ number, etag }));
  if (last.plainLength !== undefined) {
    const footer = await footerOf(request, gateway, upload, { named, found });
    const body = sealFooterPart(footer, key.dek, key.objectId, gateway.random);
    const end = await storePart(request, gateway, upload, FOOTER_PART_NUMBER, body);
    return { parts: [...stored, end], footer };
  }
  const { signal, client } = request;
  const share = await gateway.governor.take(HELD_PART_COST_BYTES, { signal, holder: client });
  try {
    const held = await readHeldPart(gateway, upload, last, key);
    const input = { ...key, partNumber: last.number, plainLength: held.plaintext.length, final: true };
    const sealer = new BodySealer(input, gateway.random);
    const saltId = sealer.salt.slice(0, SALT_REFERENCE_BYTES);
    const digests = held.record.digests;
    const measured = found.with(-1, { ...last, plainLength: held.plaintext.length, saltId, digests });
    const footer = await footerOf(request, gateway, upload, { named, found: measured });
    const block = encodeFooter(footer, key.dek, key.objectId, gateway.random);
    const body = concatBytes(sealer.header(), ...sealer.push(held.plaintext), ...sealer.finish(held.record, block));
    const end = await storePart(request, gateway, upload, last.number, body);
    return { parts: stored.with(-1, end), footer };
  } finally {
    share.giveBack();
  }
}

async function footerOf(
  { headers }: S3Request,
  { options }: GatewayContext,
  upload: OpenUpload,
  { named, found }: NamedAndFound,
): Promise<FooterInput> {
  const parts = found.map(({ number, plainLength = 0 }) => ({ partNumber: number, plainLength }));
  const size = parts.reduce((sum, part) => sum + part.plainLength, 0);
  refuseOtherSize(headers['x-amz-mp-object-size'], size);
  if (size > MAX_OBJECT_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  const measured = named.map((part, index) => {
    const { plainLength = 0, digests = {} } = found[index] ?? {};
    return { named: part, plainLength, digests };
  });
  const salts = found.flatMap(({ saltId }) => (saltId === undefined ? [] : [saltId]));
  const byDefault = options.defaultChecksum === 'none' ? undefined : options.defaultChecksum;
  return {
    parts,
    salts: salts.length === parts.length ? salts : undefined,
    checksum: await objectChecksum(headers, { chosen: upload.checksum, byDefault }, measured),
  };
}

function refuseOtherSize(announced: string | undefined, size: number): void {
  if (announced === undefined || announced === String(size)) return;
  throw new S3Error(
    'ERR_S3_INVALID_REQUEST',
    /^[0-9]{1,16}$/u.test(announced)
      ? `The provided 'x-amz-mp-object-size' header value ${announced} does not match what was computed: ${size}`
      : 'Value for x-amz-mp-object-size header is invalid.',
  );
}

async function storePart(
  { bucket, key, signal }: S3Request,
  gateway: GatewayContext,
  { backendUploadId }: OpenUpload,
  number: number,
  body: Uint8Array,
): Promise<BackendPart> {
  const query = new Map([
    ['partNumber', String(number)],
    ['uploadId', backendUploadId],
  ]);
  const response = await sendToUpload(gateway, { method: 'PUT', bucket, key, query, body, signal });
  await response.body.release();
  const etag = response.headers['etag'];
  if (etag === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return { number, etag: bareEtag(etag) };
}
