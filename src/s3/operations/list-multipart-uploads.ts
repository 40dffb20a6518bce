/**
 * ListMultipartUploads: the backend's page, its upload ids replaced by the tokens kept for them, so that any of them can be resumed or
 * aborted. An upload without a token (made around the gateway, or its maker died in between) shows under an id that opens nothing.
 */
import { uploadTokenEpoch } from '../../envelope/object/upload-token.ts';
import { S3Error } from '../errors.ts';
import { isHiddenKey } from '../listing/hidden-names.ts';
import { encodeKey } from '../listing/list-page.ts';
import { madeBy } from '../listing/made-by.ts';
import { childrenOf, childText, formatXml, parseXml, type XmlContent, type XmlTree } from '../listing/xml-tree.ts';
import { openUpload, type OpenUpload } from '../multipart/open-upload.ts';
import { checksumChoiceContent } from '../sealing/checksum-headers.ts';
import { readTokens, uploadMark } from '../multipart/token-objects.ts';
import type { GatewayContext, S3Operation, S3Request } from '../operation.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

export const listMultipartUploads: S3Operation = {
  name: 'ListMultipartUploads',
  async handle(request, gateway) {
    const { bucket, signal } = request;
    const query = await upstreamQuery(request, gateway);
    const response = await sendOrThrow(gateway, { method: 'GET', bucket, query, signal });
    const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'ListMultipartUploadsResult');
    if (root === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
    const body = formatXml('ListMultipartUploadsResult', await contentOf(request, gateway, root));
    return { status: 200, headers: { 'content-type': 'application/xml', 'content-length': String(body.length) }, body };
  },
};

/**
 * The marker a client gives is a token; the backend's is the id in it, which the token of the same upload is found by. Keys are asked for
 * as they are and encoded here: Ceph RGW 16 encodes them without saying so.
 */
async function upstreamQuery(request: S3Request, gateway: GatewayContext): Promise<ReadonlyMap<string, string>> {
  const query = new Map(request.query);
  query.delete('encoding-type');
  const marker = query.get('upload-id-marker');
  // An upload that has no token shows under the backend's own id.
  if (marker === undefined || uploadTokenEpoch(marker) === undefined) return query;
  const key = query.get('key-marker') ?? '';
  const upload = await openUpload({ ...request, key, query: new Map([['uploadId', marker]]) }, gateway);
  return query.set('upload-id-marker', upload.backendUploadId);
}

async function contentOf(request: S3Request, gateway: GatewayContext, root: XmlTree): Promise<XmlContent> {
  const wantsEncoded = request.query.get('encoding-type') === 'url';
  const encode = wantsEncoded ? encodeKey : (text: string): string => text;
  const tokens = await readTokens(request, gateway);
  const tokenOf = (key: string, id: string): string => tokens.get(uploadMark(key, id)) ?? id;
  const uploads = childrenOf(root, 'Upload').filter((row) => !isHiddenKey(childText(row, 'Key') ?? ''));
  const [nextKey, nextId] = [childText(root, 'NextKeyMarker'), childText(root, 'NextUploadIdMarker')];
  const asked = (name: string): string => request.query.get(name) ?? '';
  return {
    Bucket: request.bucket,
    KeyMarker: encode(asked('key-marker')),
    UploadIdMarker: asked('upload-id-marker'),
    NextKeyMarker: nextKey === undefined ? undefined : encode(nextKey),
    NextUploadIdMarker: nextId === undefined || nextKey === undefined ? undefined : tokenOf(nextKey, nextId),
    Prefix: request.query.has('prefix') ? encode(asked('prefix')) : undefined,
    Delimiter: request.query.has('delimiter') ? encode(asked('delimiter')) : undefined,
    EncodingType: wantsEncoded ? 'url' : undefined,
    MaxUploads: childText(root, 'MaxUploads'),
    IsTruncated: childText(root, 'IsTruncated') ?? 'false',
    Upload: await Promise.all(uploads.map((row) => uploadContent(request, gateway, row, { encode, tokenOf }))),
    CommonPrefixes: childrenOf(root, 'CommonPrefixes')
      .map((row) => childText(row, 'Prefix') ?? '')
      .filter((prefix) => !isHiddenKey(prefix))
      .map((prefix) => ({ Prefix: encode(prefix) })),
  };
}

type Naming = {
  readonly encode: (text: string) => string;
  readonly tokenOf: (key: string, id: string) => string;
};

async function uploadContent(
  request: S3Request,
  gateway: GatewayContext,
  row: XmlTree,
  { encode, tokenOf }: Naming,
): Promise<XmlContent> {
  const key = childText(row, 'Key') ?? '';
  const token = tokenOf(key, childText(row, 'UploadId') ?? '');
  return {
    Key: encode(key),
    UploadId: token,
    ...madeBy(row),
    StorageClass: childText(row, 'StorageClass'),
    Initiated: childText(row, 'Initiated'),
    ...checksumChoiceContent(await chosenChecksum(request, gateway, key, token)),
  };
}

/** Undefined also for uploads that are not ours: of keys without a sealing rule, or made past the gateway. */
async function chosenChecksum(
  request: S3Request,
  gateway: GatewayContext,
  key: string,
  token: string,
): Promise<OpenUpload['checksum']> {
  try {
    return (await openUpload({ ...request, key, query: new Map([['uploadId', token]]) }, gateway)).checksum;
  } catch (error) {
    if (error instanceof S3Error && error.code === 'ERR_S3_NO_SUCH_UPLOAD') return undefined;
    throw error;
  }
}
