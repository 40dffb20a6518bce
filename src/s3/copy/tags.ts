/**
 * Tags of a copy. Where the backend copies, it is told the directive; where the copy is streamed, the tags are read and written. Not every
 * backend keeps what it is told (Ceph RGW 16 drops all tags when metadata is replaced, s3rver those of a PUT), so a copy that is to have tags is looked at.
 */
import { S3Error } from '../errors.ts';
import { childrenOf, childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { Tag } from '../request/tagging.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow, upstreamError } from '../sealing/upstream-errors.ts';
import type { UpstreamResponse } from '../upstream/client.ts';

/** Ten tags of 128 and 256 characters, each an entity, have no more. */
const MAX_TAGGING_BYTES = 65_536;

/** A backend that knows no tags, an object that has none, or an identity that may not see them. */
const NO_TAGS: ReadonlySet<number> = new Set([403, 404, 405, 501]);

/** The tags of a source. `read`: what a read of it answered. Throws where it says that there are tags, and they cannot be had. */
export async function readTags(source: S3Request, gateway: GatewayContext, read: S3Headers): Promise<readonly Tag[]> {
  const { bucket, key, signal } = source;
  const count = read['x-amz-tagging-count'];
  if (count === '0') return [];
  const version = read['x-amz-version-id'] ?? source.query.get('versionId');
  const query = new Map([['tagging', ''], ...(version === undefined ? [] : [['versionId', version] as const])]);
  const request = { method: 'GET', bucket, key, query, signal } as const;
  if (count === undefined) {
    const response = await gateway.upstream.send(request);
    if (response.status === 200) return (await tagsIn(response)) ?? [];
    const refusal = await upstreamError(response);
    if (NO_TAGS.has(response.status)) return [];
    throw refusal;
  }
  const response = await sendOrThrow(gateway, request);
  return parseTags(await response.body.text(MAX_LIST_BYTES));
}

/** Undefined where the answer is the object itself, since the store does not know the parameter. Ceph RGW 16 says nothing where there are none. */
async function tagsIn({ headers, body }: UpstreamResponse): Promise<readonly Tag[] | undefined> {
  if (headers['etag'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_TAGGING_BYTES) {
    await body.release();
    return undefined;
  }
  const text = (await body.text(MAX_LIST_BYTES)).trim();
  return text !== '' && parseXml(text, 'Tagging') === undefined ? undefined : parseTags(text);
}

function parseTags(text: string): readonly Tag[] {
  const set = childrenOf(parseXml(text.trim(), 'Tagging'), 'TagSet')[0];
  return childrenOf(set, 'Tag').map((tag) => [childText(tag, 'Key') ?? '', childText(tag, 'Value') ?? '']);
}

/** A store that does not know tags answers with the object, and would put the document of tags in its place. */
async function refuseWithoutTags(shown: UpstreamResponse): Promise<void> {
  if (shown.status !== 200) return shown.body.release();
  if ((await tagsIn(shown)) !== undefined) return;
  throw new S3Error(
    'ERR_S3_NOT_IMPLEMENTED',
    'The storage behind the gateway keeps no tags; the copy is without them.',
  );
}

/** Sets the tags where the copy, as `head` describes it, has not as many. */
export async function ensureTags(
  { bucket, key }: S3Request,
  gateway: GatewayContext,
  head: S3Headers,
  tags: () => Promise<readonly Tag[]> | readonly Tag[],
  count: number,
): Promise<void> {
  if (count === 0 || Number(head['x-amz-tagging-count'] ?? 0) === count) return;
  const version = head['x-amz-version-id'];
  const query = new Map([['tagging', ''], ...(version === undefined ? [] : [['versionId', version] as const])]);
  await refuseWithoutTags(await gateway.upstream.send({ method: 'GET', bucket, key, query }));
  const TagSet = { Tag: (await tags()).map(([Key, Value]) => ({ Key, Value })) };
  const response = await sendOrThrow(gateway, {
    method: 'PUT',
    bucket,
    key,
    query,
    headers: { 'content-type': 'application/xml' },
    body: formatXml('Tagging', { TagSet }),
  });
  await response.body.release();
}
