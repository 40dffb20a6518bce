/**
 * Which conditions of writes the storage behind the gateway decides on, each tried where it must fail: who ignores it does the write. Locks
 * are built on them, so what is not found to be obeyed is not presumed.
 */
import { deleteLeftVersions } from './listing/delete-hidden.ts';
import { childText, formatXml, parseXml } from './listing/xml-tree.ts';
import type { S3Headers } from './operation.ts';
import { bareEtag } from './sealing/etag.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import type { EtagForm, UpstreamCapabilities } from './upstream/capabilities.ts';
import type { UpstreamClient, UpstreamRequest } from './upstream/client.ts';
import { encodeUri } from '../sigv4/percent-encoding.ts';

export type ConditionCapabilities = Pick<
  UpstreamCapabilities,
  | 'conditionalWrites'
  | 'conditionalReplacements'
  | 'conditionalCopyWrites'
  | 'conditionalCompletions'
  | 'conditionalDeletions'
>;

export const NO_CONDITIONS: ConditionCapabilities = {
  conditionalWrites: false,
  conditionalReplacements: false,
  conditionalCopyWrites: false,
  conditionalCompletions: false,
  conditionalDeletions: false,
};

type Probed = { readonly upstream: UpstreamClient; readonly bucket: string; readonly key: string };

const ABSENT = { 'if-none-match': '*' } as const;
const OTHER = { 'if-match': '"00000000000000000000000000000000"' } as const;

type Condition = typeof ABSENT | typeof OTHER;

/** Precondition: an object lies at the key, and multipart uploads work. It may be gone afterwards. */
export async function probeConditions(probe: Probed): Promise<ConditionCapabilities> {
  const body = Buffer.from('probe');
  const source = { 'x-amz-copy-source': `/${encodeUri(probe.bucket)}/${encodeUri(probe.key)}` };
  return {
    conditionalWrites: await refuses(probe, { method: 'PUT', headers: ABSENT, body }),
    conditionalReplacements: await replacements(probe, body),
    conditionalCopyWrites: await refusesBoth((condition) =>
      refuses(probe, { method: 'PUT', headers: { ...condition, ...source, 'x-amz-metadata-directive': 'REPLACE' } }),
    ),
    conditionalCompletions: await refusesBoth((condition) => refusesToComplete(probe, condition)),
    conditionalDeletions:
      (await refusesToDelete(probe, OTHER)) &&
      !(await refusesToDelete(probe, { 'if-match': `"${await etagOf(probe)}"` })),
  };
}

/** A store that obeys the one condition may ignore the other. */
async function refusesBoth(write: (condition: Condition) => Promise<boolean>): Promise<boolean> {
  return (await write(ABSENT)) && (await write(OTHER));
}

/** Which form of the right ETag it takes, where it refuses a wrong one. */
async function replacements(probe: Probed, body: Uint8Array): Promise<EtagForm | false> {
  if (!(await refuses(probe, { method: 'PUT', headers: OTHER, body }))) return false;
  const etag = await etagOf(probe);
  if (!(await refuses(probe, { method: 'PUT', headers: { 'if-match': `"${etag}"` }, body }))) return 'quoted';
  return (await refuses(probe, { method: 'PUT', headers: { 'if-match': etag }, body })) ? false : 'bare';
}

async function etagOf({ upstream, bucket, key }: Probed): Promise<string> {
  const { headers, body } = await upstream.send({ method: 'HEAD', bucket, key });
  await body.release();
  return bareEtag(headers['etag'] ?? '');
}

async function refuses(
  { upstream, bucket, key }: Probed,
  request: Omit<UpstreamRequest, 'bucket' | 'key'>,
): Promise<boolean> {
  const response = await upstream.send({ ...request, bucket, key });
  await response.body.release();
  return response.status === 412;
}

/** Where it deletes, its versions go as well: of a key that is deleted already Ceph RGW 16 does not say that it keeps any. */
async function refusesToDelete(probe: Probed, headers: S3Headers): Promise<boolean> {
  const { upstream, bucket, key } = probe;
  const response = await upstream.send({ method: 'DELETE', bucket, key, headers });
  await response.body.release();
  await deleteLeftVersions(probe, key, response.headers);
  return response.status === 412;
}

async function refusesToComplete(probe: Probed, condition: Condition): Promise<boolean> {
  const { upstream, bucket, key } = probe;
  const created = await upstream.send({ method: 'POST', bucket, key, query: new Map([['uploads', '']]) });
  const document = parseXml(await created.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const uploadId = childText(document, 'UploadId');
  if (uploadId === undefined) return false;
  const upload = new Map([['uploadId', uploadId]]);
  const query = new Map([...upload, ['partNumber', '1']]);
  const part = await upstream.send({ method: 'PUT', bucket, key, query, body: Buffer.from('probe') });
  await part.body.release();
  const body = formatXml('CompleteMultipartUpload', { Part: { PartNumber: 1, ETag: part.headers['etag'] ?? '' } });
  const headers = { 'content-type': 'application/xml', ...condition };
  const refused = await refuses(probe, { method: 'POST', query: upload, body, headers });
  // s3rver 5 breaks down where it is asked to abort what it completed.
  if (refused) await refuses(probe, { method: 'DELETE', query: upload });
  return refused;
}
