/**
 * Whether an upload can be completed with some of its parts, as on S3, tried on an upload of the probe's own. Ceph RGW 16 refuses it: there
 * what a completion would leave unnamed is looked at before anything is written for it.
 */
import { probeNames } from './check-leftovers.ts';
import { deleteHiddenKey } from './listing/delete-hidden.ts';
import { childText, formatXml, parseXml } from './listing/xml-tree.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from './upstream/client.ts';

type Place = { readonly upstream: UpstreamClient; readonly bucket: string; readonly key: string };

/** `key`: of the probe, beside which the upload's object lies for a while; who breaks off leaves it to `check-leftovers.ts`. True too where it cannot be found out: then the store refuses. */
export async function completesWithSome({ upstream, bucket, key: probed }: Place): Promise<boolean> {
  const place = { upstream, bucket, key: probeNames(probed).some };
  const begun = await send(place, { method: 'POST', query: new Map([['uploads', '']]) });
  const root = parseXml(await begun.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const uploadId = childText(root, 'UploadId') ?? '';
  if (uploadId === '') return true;
  await putPart(place, uploadId, 1);
  const etag = await putPart(place, uploadId, 2);
  // The last is the only one that may be short.
  const body = formatXml('CompleteMultipartUpload', { Part: { PartNumber: 2, ETag: etag } });
  const headers = { 'content-type': 'application/xml' };
  const completed = await send(place, { method: 'POST', query: new Map([['uploadId', uploadId]]), body, headers });
  const refusal = parseXml((await completed.body.text(MAX_LIST_BYTES)).trim(), 'Error');
  const aborted = await send(place, { method: 'DELETE', query: new Map([['uploadId', uploadId]]) });
  await aborted.body.release();
  await deleteHiddenKey(place, place.key);
  return childText(refusal, 'Code') !== 'InvalidPart';
}

async function putPart(place: Place, uploadId: string, number: number): Promise<string> {
  const query = new Map([
    ['partNumber', String(number)],
    ['uploadId', uploadId],
  ]);
  const { headers, body } = await send(place, { method: 'PUT', query, body: Buffer.from('probe') });
  await body.release();
  return headers['etag'] ?? '';
}

const send = (
  { upstream, bucket, key }: Place,
  request: Omit<UpstreamRequest, 'bucket' | 'key'>,
): Promise<UpstreamResponse> => upstream.send({ ...request, bucket, key });
