/**
 * DeleteObjects: the document is read and written anew, so that hidden and refused keys are answered here and conditions carry the
 * backend's ETags.
 */
import { createHash } from 'node:crypto';
import { deletePermissions } from '../access/permissions.ts';
import { S3Error } from '../errors.ts';
import { childrenOf, childText, formatXml, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import { MAX_DOCUMENT_BYTES } from '../limits.ts';
import type { GatewayContext, S3Headers, S3Operation, S3Request, S3Response } from '../operation.ts';
import { documentText } from '../request/document-text.ts';
import { headerValue } from '../request/headers.ts';
import { checked } from '../request/target.ts';
import { checkVersionId } from '../request/version-id.ts';
import { ruleForKey } from '../rule-for-key.ts';
import { upstreamEtag, upstreamEtagList } from '../sealing/etag.ts';
import { mapBounded } from '../sealing/bounded-map.ts';
import { MAX_LIST_BYTES, SIZE_LOOKUPS_AT_ONCE } from '../sealing/limits.ts';
import { pick } from '../sealing/request-headers.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';
import { learningOnce, writeConditions, type LearnConditions } from '../sealing/write-conditions.ts';

const MAX_KEYS = 1_000;
const FORWARDED = [
  'x-amz-mfa',
  'x-amz-request-payer',
  'x-amz-bypass-governance-retention',
  'x-amz-expected-bucket-owner',
] as const;
/** What the answer says of a deleted key, and of one that was not. */
const DELETED = ['Key', 'VersionId', 'DeleteMarker', 'DeleteMarkerVersionId'] as const;
const FAILED = ['Key', 'VersionId', 'Code', 'Message'] as const;

export const deleteObjects: S3Operation = {
  name: 'DeleteObjects',
  async handle(request, gateway) {
    const document = parseXml(documentText(await request.body.bytes(MAX_DOCUMENT_BYTES)), 'Delete');
    const objects = childrenOf(document, 'Object');
    if (objects.length === 0 || objects.length > MAX_KEYS || objects.some((object) => !childText(object, 'Key'))) {
      throw new S3Error('ERR_S3_MALFORMED_XML');
    }
    const learn = learningOnce(gateway, request);
    const judged = await mapBounded(objects, SIZE_LOOKUPS_AT_ONCE, async (object) => ({
      object,
      refusal: refusalOf(request, gateway, object) ?? (await conditionRefusal(request, gateway, object, learn)),
    }));
    const allowed = judged.filter(({ refusal }) => refusal === undefined).map(({ object }) => object);
    const apart = allowed.filter(isApart);
    const together = allowed.filter((object) => !isApart(object));
    const answer = together.length === 0 ? undefined : await deleteUpstream(request, gateway, together);
    const outcomes = await mapBounded(apart, SIZE_LOOKUPS_AT_ONCE, (object) => deleteAlone(request, gateway, object));
    return respond(answer, outcomes, judged, childText(document, 'Quiet') === 'true');
  },
};

/** Why a key is not deleted: what DeleteObject would answer. A key with dot segments may lie in another bucket, to a store that keeps files. */
function refusalOf(request: S3Request, { rules }: GatewayContext, object: XmlTree): S3Error | undefined {
  const { bucket, headers, caller } = request;
  try {
    const place = checked({ bucket, key: childText(object, 'Key') ?? '' });
    if (ruleForKey(place, rules)?.type === 'refuse') return new S3Error('ERR_S3_ACCESS_DENIED');
    const versionId = childText(object, 'VersionId');
    checkVersionId('DeleteObject', new Map(versionId === undefined ? [] : [['versionId', versionId.trim()]]));
    const values: Record<string, string> = versionId === undefined ? {} : { versionid: versionId };
    return caller.rights?.refusal(deletePermissions(place, versionId, headers), values);
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

/** Why a row's condition is not met, or cannot be decided on or passed on: who ignores it deletes. */
async function conditionRefusal(
  request: S3Request,
  gateway: GatewayContext,
  object: XmlTree,
  learn: LearnConditions,
): Promise<S3Error | undefined> {
  const [key, version, etag] = [
    childText(object, 'Key') ?? '',
    childText(object, 'VersionId'),
    childText(object, 'ETag'),
  ];
  const sealed = isSealed(request, gateway, object);
  // S3 has these for directory buckets alone.
  if ((sealed || isApart(object)) && ['LastModifiedTime', 'Size'].some((name) => object.children.has(name)))
    return new S3Error('ERR_S3_NOT_IMPLEMENTED');
  if (etag === undefined || !sealed) return undefined;
  const query = new Map(version === undefined ? [] : [['versionId', version]]);
  try {
    await writeConditions(
      { ...request, operation: 'DeleteObject', key, query, headers: { 'if-match': etag } },
      gateway,
      learn,
    );
    return undefined;
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

type Judged = { readonly object: XmlTree; readonly refusal: S3Error | undefined };

async function deleteUpstream(
  request: S3Request,
  gateway: GatewayContext,
  objects: readonly XmlTree[],
): Promise<XmlTree> {
  const { bucket, headers, query, signal } = request;
  const body = formatXml('Delete', { Object: objects.map((object) => objectContent(request, gateway, object)) });
  const response = await sendOrThrow(gateway, {
    method: 'POST',
    bucket,
    query,
    body,
    signal,
    // Required by S3, in this or a newer form; every backend knows this one.
    headers: {
      ...pick(headers, FORWARDED),
      'content-type': 'application/xml',
      'content-md5': createHash('md5').update(body).digest('base64'),
    },
  });
  const answer = parseXml(await response.body.text(MAX_LIST_BYTES), 'DeleteResult');
  if (answer === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return answer;
}

/**
 * What a document can only refer to by number: XML 1.0 has no form for most of these, so that a backend refuses the whole document (Ceph RGW 16),
 * or says that it deleted what it did not (s3rver). Such a key is deleted by a request of its own.
 */
const NOT_IN_XML = /[\u0000-\u001f\u007f\ufffe\uffff]/u;
const isApart = (object: XmlTree): boolean => NOT_IN_XML.test(childText(object, 'Key') ?? '');

type Row = Readonly<Record<string, string>>;
type Outcome = { readonly deleted: Row } | { readonly failed: Row };

async function deleteAlone(request: S3Request, gateway: GatewayContext, object: XmlTree): Promise<Outcome> {
  const { bucket, headers, signal } = request;
  const named = texts(object, ['Key', 'VersionId']);
  try {
    const response = await sendOrThrow(gateway, {
      method: 'DELETE',
      bucket,
      key: named['Key'] ?? '',
      query: new Map(named['VersionId'] === undefined ? [] : [['versionId', named['VersionId']]]),
      headers: { ...pick(headers, FORWARDED), ...conditionOf(request, gateway, object) },
      signal,
    });
    await response.body.release();
    return { deleted: { ...named, ...markerOf(response.headers) } };
  } catch (error) {
    if (error instanceof S3Error) return { failed: { ...named, Code: error.s3Code, Message: error.message } };
    throw error;
  }
}

/** As DeleteObject has it. Throws ERR_S3_INVALID_ARGUMENT. */
function conditionOf(request: S3Request, gateway: GatewayContext, object: XmlTree): S3Headers {
  const etag = childText(object, 'ETag');
  if (etag === undefined) return {};
  return { 'if-match': headerValue('if-match', isSealed(request, gateway, object) ? upstreamEtagList(etag) : etag) };
}

/** What DeleteObject says in headers, as DeleteObjects says it. */
function markerOf(headers: S3Headers): Row {
  if (headers['x-amz-delete-marker'] !== 'true') return {};
  const version = headers['x-amz-version-id'];
  return { DeleteMarker: 'true', ...(version === undefined ? {} : { DeleteMarkerVersionId: version }) };
}

function objectContent(
  request: S3Request,
  gateway: GatewayContext,
  object: XmlTree,
): Readonly<Record<string, string | undefined>> {
  const etag = childText(object, 'ETag');
  return {
    ...texts(object, ['Key', 'VersionId', 'LastModifiedTime', 'Size']),
    ETag: etag !== undefined && isSealed(request, gateway, object) ? upstreamEtag(etag) : etag,
  };
}

const isSealed = ({ bucket }: S3Request, { rules }: GatewayContext, object: XmlTree): boolean =>
  rules.forKey(bucket, childText(object, 'Key') ?? '')?.type === 'seal';

function respond(
  answer: XmlTree | undefined,
  apart: readonly Outcome[],
  judged: readonly Judged[],
  quiet: boolean,
): S3Response {
  const deleted = [
    ...childrenOf(answer, 'Deleted').map((row) => texts(row, DELETED)),
    ...apart.flatMap((outcome) => ('deleted' in outcome ? [outcome.deleted] : [])),
  ];
  const body = formatXml('DeleteResult', {
    Deleted: quiet ? [] : deleted,
    Error: [
      ...childrenOf(answer, 'Error').map((row) => texts(row, FAILED)),
      ...apart.flatMap((outcome) => ('failed' in outcome ? [outcome.failed] : [])),
      ...judged.flatMap(({ object, refusal }) =>
        refusal === undefined
          ? []
          : [{ ...texts(object, ['Key', 'VersionId']), Code: refusal.s3Code, Message: refusal.message }],
      ),
    ],
  });
  return { status: 200, headers: { 'content-type': 'application/xml', 'content-length': String(body.length) }, body };
}

function texts(tree: XmlTree, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const text = childText(tree, name);
    if (text !== undefined) found[name] = text;
  }
  return found;
}
