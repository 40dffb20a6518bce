/** How the storage copies, tried on the probe's own object: whether a copy can be pinned to its source, and what becomes of a multipart ETag. */
import { probeNames } from './check-leftovers.ts';
import { formatCopySource } from './copy/copy-source-header.ts';
import { deleteHiddenKey } from './listing/delete-hidden.ts';
import { childText, parseXml } from './listing/xml-tree.ts';
import { bareEtag, partsInEtag } from './sealing/etag.ts';
import { MAX_LIST_BYTES } from './sealing/limits.ts';
import { COPY_CONDITIONS, type CopyCondition, type UpstreamCapabilities } from './upstream/capabilities.ts';
import type { UpstreamClient } from './upstream/client.ts';

export type CopyCapabilities = Pick<
  UpstreamCapabilities,
  'copyCondition' | 'conditionalPartCopies' | 'copiesKeepPartCount'
>;

type Copies = {
  readonly upstream: UpstreamClient;
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
};

export const NO_COPIES: CopyCapabilities = {
  copyCondition: undefined,
  conditionalPartCopies: false,
  copiesKeepPartCount: false,
};

const OTHER_ETAG = '0'.repeat(32);

/** `key`: a multipart object of one part, with this ETag. What is made is deleted; who breaks off leaves it to `check-leftovers.ts`. */
export async function probeCopies(probe: Copies): Promise<CopyCapabilities> {
  const { copy } = probeNames(probe.key);
  const found = await tryCopies(probe, copy);
  await deleteHiddenKey(probe, copy);
  return found;
}

async function tryCopies(probe: Copies, copy: string): Promise<CopyCapabilities> {
  const copyCondition = await obeyedCondition(probe, copy);
  if (copyCondition === undefined) return NO_COPIES;
  const { result } = await copyTo(probe, copy, { [copyCondition]: `"${bareEtag(probe.etag)}"` });
  if (result === undefined) return NO_COPIES;
  const copiesKeepPartCount = partsInEtag(probe.etag) !== undefined && partsInEtag(result) === 1;
  // Ceph RGW 16 breaks down over some copies of parts: asked only where they are needed.
  const conditionalPartCopies = !copiesKeepPartCount && (await obeysOnParts(probe, copy));
  return { copyCondition, copiesKeepPartCount, conditionalPartCopies };
}

async function obeyedCondition(probe: Copies, copy: string): Promise<CopyCondition | undefined> {
  for (const name of COPY_CONDITIONS) {
    if ((await copyTo(probe, copy, { [name]: `"${OTHER_ETAG}"` })).status === 412) return name;
  }
  return undefined;
}

/** `result`: the copy's ETag. */
async function copyTo(
  { upstream, bucket, key }: Copies,
  copy: string,
  condition: Readonly<Record<string, string>>,
  query: ReadonlyMap<string, string> = new Map(),
): Promise<{ readonly status: number; readonly result: string | undefined }> {
  const source = formatCopySource({ bucket, key, versionId: undefined });
  const headers = { 'x-amz-copy-source': source, ...condition };
  const { status, body } = await upstream.send({ method: 'PUT', bucket, key: copy, query, headers });
  const text = (await body.text(MAX_LIST_BYTES)).trim();
  return { status, result: childText(parseXml(text, 'CopyObjectResult'), 'ETag') };
}

async function obeysOnParts(probe: Copies, copy: string): Promise<boolean> {
  const { upstream, bucket } = probe;
  const created = await upstream.send({ method: 'POST', bucket, key: copy, query: new Map([['uploads', '']]) });
  const answer = parseXml(await created.body.text(MAX_LIST_BYTES), 'InitiateMultipartUploadResult');
  const uploadId = childText(answer, 'UploadId') ?? '';
  const query = new Map([['uploadId', uploadId]]);
  const part = new Map([['partNumber', '1'], ...query]);
  const { status } = await copyTo(probe, copy, { 'x-amz-copy-source-if-match': `"${OTHER_ETAG}"` }, part);
  const aborted = await upstream.send({ method: 'DELETE', bucket, key: copy, query });
  await aborted.body.release();
  return status === 412;
}
