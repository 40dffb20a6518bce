/**
 * Tags of a copy. Where the backend copies, it is told the directive; where the copy is streamed, the tags are read and written. Not every
 * backend keeps what it is told (Ceph RGW 16 drops all tags when metadata is replaced, s3rver those of a PUT), so a copy that is to have tags is looked at.
 */
import { childrenOf, childText, formatXml, parseXml } from '../listing/xml-tree.ts';
import type { GatewayContext, S3Headers, S3Request } from '../operation.ts';
import type { Tag } from '../request/tagging.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { sendOrThrow } from '../sealing/upstream-errors.ts';

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
    const text = await response.body.text(MAX_LIST_BYTES);
    return NO_TAGS.has(response.status) ? [] : parseTags(text);
  }
  const response = await sendOrThrow(gateway, request);
  return parseTags(await response.body.text(MAX_LIST_BYTES));
}

function parseTags(text: string): readonly Tag[] {
  const set = childrenOf(parseXml(text.trim(), 'Tagging'), 'TagSet')[0];
  return childrenOf(set, 'Tag').map((tag) => [childText(tag, 'Key') ?? '', childText(tag, 'Value') ?? '']);
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
