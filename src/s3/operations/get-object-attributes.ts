/**
 * GetObjectAttributes on a sealed key: ETag, size, checksum and parts of the plaintext; the footer part is none. As on S3 the parts are listed
 * one by one only where the object's checksum is made of theirs.
 */
import type { ObjectChecksum } from '../../envelope/object/footer.ts';
import type { PlacedPart } from '../../envelope/object/part-table.ts';
import { S3Error } from '../errors.ts';
import { refuseHiddenKey } from '../listing/hidden-names.ts';
import { formatXml, type XmlContent } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request } from '../operation.ts';
import { plainAttributes } from '../plain/plain-attributes.ts';
import { authorizePlainRead, isStillPlain, readsPlain } from '../plain/plain-mode.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { CHECKSUM_ELEMENTS, objectChecksumContent, toBase64 } from '../sealing/checksum-headers.ts';
import { openEnvelope, type OpenedEnvelope } from '../sealing/envelope-headers.ts';
import { bareEtag, clientEtag } from '../sealing/etag.ts';
import { storedAnswer, type StoredAnswer } from '../sealing/fetch-stored.ts';
import { SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { layoutOf, type ObjectLayout } from '../sealing/object-layout.ts';
import { plaintextLength } from '../sealing/read-whole.ts';
import { pick } from '../sealing/request-headers.ts';
import { checksumOf, partRecord } from '../sealing/stored-checksum.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { checkReadEncryption } from '../sse/given-key.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

const ANSWERED = ['last-modified', 'x-amz-version-id', 'x-amz-request-charged'] as const;
const MAX_PARTS = 1_000;

export const getObjectAttributes: S3Operation = {
  name: 'GetObjectAttributes',
  async handle(request, gateway) {
    const { bucket, key, signal } = request;
    refuseHiddenKey(key);
    checkReadEncryption(request, gateway);
    const wanted = wantedAttributes(request.headers);
    const page = partsPage(request.headers);
    const version = request.query.get('versionId');
    const query = version === undefined ? new Map<string, string>() : new Map([['versionId', version]]);
    const headed = { 'x-amz-checksum-mode': 'ENABLED' };
    const asking = readsPlain(request.rule, gateway) ? { headers: headed } : {};
    const response = await sendOrThrow(gateway, { method: 'HEAD', bucket, key, query, signal, ...asking });
    await response.body.release();
    const stored = storedAnswer(key, response);
    const content = isStillPlain(request, gateway, response.headers)
      ? await plainContent(request, gateway, stored, wanted)
      : await contentOf(
          request,
          gateway,
          { stored, opened: await openEnvelope(request, gateway, response.headers) },
          wanted,
          page,
        );
    const body = formatXml('GetObjectAttributesResponse', content);
    const headers = { 'content-type': 'application/xml', 'content-length': String(body.length) };
    return { status: 200, headers: { ...pick(response.headers, ANSWERED), ...headers }, body };
  },
};

/** Throws ERR_S3_INVALID_REQUEST where nothing is asked for, ERR_S3_INVALID_ARGUMENT for what is no attribute. */
function wantedAttributes(headers: S3Headers): ReadonlySet<Attribute> {
  const names = (headers['x-amz-object-attributes'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) {
    throw new S3Error(
      'ERR_S3_INVALID_REQUEST',
      'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty',
    );
  }
  return new Set(names.map(attributeOf));
}

function attributeOf(name: string): Attribute {
  const attribute = ATTRIBUTES.find((one) => one === name);
  if (attribute === undefined)
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'Invalid attribute name specified.', {
      details: { ArgumentName: 'x-amz-object-attributes', ArgumentValue: name },
    });
  return attribute;
}

type PartsPage = { readonly marker: number; readonly maxParts: number };

function partsPage(headers: S3Headers): PartsPage {
  return {
    marker: numberHeader(headers, 'x-amz-part-number-marker', 0),
    maxParts: Math.min(MAX_PARTS, numberHeader(headers, 'x-amz-max-parts', MAX_PARTS)),
  };
}

function numberHeader(headers: S3Headers, name: string, fallback: number): number {
  const text = headers[name] ?? '';
  if (!/^[0-9]{0,10}$/u.test(text)) {
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', `Provided ${name} not an integer or within integer range`, {
      details: { ArgumentName: name, ArgumentValue: text },
    });
  }
  return text === '' ? fallback : Number(text);
}

async function plainContent(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  wanted: ReadonlySet<Attribute>,
): Promise<XmlContent> {
  await authorizePlainRead(request, gateway);
  const known = plainAttributes(stored);
  return Object.fromEntries(ATTRIBUTES.filter((name) => wanted.has(name)).map((name) => [name, known[name]]));
}

type SeenObject = { readonly stored: StoredAnswer; readonly opened: OpenedEnvelope };

async function contentOf(
  request: S3Request,
  gateway: GatewayContext,
  seen: SeenObject,
  wanted: ReadonlySet<Attribute>,
  page: PartsPage,
): Promise<XmlContent> {
  const { stored, opened } = seen;
  const looksInside = wanted.has('Checksum') || wanted.has('ObjectParts');
  const layout = looksInside ? await layoutOf(request, gateway, stored, opened) : undefined;
  const hasChecksum = layout !== undefined && opened.envelope.checksum !== undefined;
  const checksum = hasChecksum ? await checksumOf(request, gateway, stored, opened.key, layout) : undefined;
  const size = wanted.has('ObjectSize') ? await plaintextLength(request, gateway, stored, opened) : undefined;
  const isMultipart = wanted.has('ObjectParts') && layout?.type === 'multipart';
  const parts = isMultipart ? await partsContent(request, gateway, seen, { layout, checksum, page }) : undefined;
  return {
    // Here S3 leaves the quotes out.
    ETag: wanted.has('ETag') ? bareEtag(clientEtag(stored.etag)) : undefined,
    Checksum: wanted.has('Checksum') && checksum ? objectChecksumContent(checksum, undefined) : undefined,
    ObjectParts: parts,
    StorageClass: wanted.has('StorageClass') ? (stored.headers['x-amz-storage-class'] ?? 'STANDARD') : undefined,
    ObjectSize: size,
  };
}

type PartsInput = {
  readonly layout: ObjectLayout;
  readonly checksum: ObjectChecksum | undefined;
  readonly page: PartsPage;
};

async function partsContent(
  request: S3Request,
  gateway: GatewayContext,
  { stored, opened }: SeenObject,
  { layout, checksum, page: { marker, maxParts } }: PartsInput,
): Promise<XmlContent> {
  const { parts } = layout;
  if (checksum?.type !== 'COMPOSITE') return { PartsCount: parts.length };
  const { algorithm } = checksum;
  const behind = parts.filter(({ partNumber }) => partNumber > marker);
  const shown = behind.slice(0, maxParts);
  const rows = await mapBounded(shown, SIZE_LOOKUPS_AT_ONCE, async (part: PlacedPart) => {
    const { digests } = await partRecord(request, gateway, stored, opened.key, { layout, part });
    const value = digests[algorithm];
    return {
      [CHECKSUM_ELEMENTS[algorithm]]: value && toBase64(value),
      PartNumber: part.partNumber,
      Size: part.plainLength,
    };
  });
  return {
    IsTruncated: shown.length < behind.length,
    MaxParts: maxParts,
    NextPartNumberMarker: shown.at(-1)?.partNumber ?? marker,
    PartNumberMarker: marker,
    Part: rows,
    PartsCount: parts.length,
  };
}
