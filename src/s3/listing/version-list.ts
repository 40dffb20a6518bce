/** The backend's list of versions, delete markers among them: what a bucket still holds that its plain list does not show. */
import { S3Error } from '../errors.ts';
import { MAX_LIST_BYTES } from '../sealing/limits.ts';
import { upstreamError } from '../sealing/upstream-errors.ts';
import type { UpstreamClient } from '../upstream/client.ts';
import { childrenOf, childText, parseXml, type XmlTree } from './xml-tree.ts';

export type KeyVersion = { readonly key: string; readonly versionId: string };

/** Versions of keys that begin with `prefix`, page by page; `undefined` in place of a page where the backend has no such list. */
export async function* versionPages(
  { upstream, bucket }: { readonly upstream: UpstreamClient; readonly bucket: string },
  prefix: string,
): AsyncGenerator<readonly KeyVersion[] | undefined> {
  for (let from: KeyVersion | undefined; ;) {
    const markers =
      from === undefined
        ? []
        : ([
            ['key-marker', from.key],
            ['version-id-marker', from.versionId],
          ] as const);
    const query = new Map([['versions', ''], ['prefix', prefix], ...markers]);
    const response = await upstream.send({ method: 'GET', bucket, query });
    if (response.status === 501 || response.status === 405) {
      await response.body.release();
      yield undefined;
      return;
    }
    if (response.status !== 200) throw await upstreamError(response);
    const root = parseXml(await response.body.text(MAX_LIST_BYTES), 'ListVersionsResult');
    if (root === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
    yield [...childrenOf(root, 'Version'), ...childrenOf(root, 'DeleteMarker')].map(parseVersion);
    const next = nextVersion(root);
    if (next === undefined) return;
    // Else a store could keep us here for ever.
    if (next.key === from?.key && next.versionId === from.versionId)
      throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL', 'The storage lists the same page again.');
    from = next;
  }
}

function parseVersion(row: XmlTree): KeyVersion {
  const [key, versionId] = [childText(row, 'Key'), childText(row, 'VersionId')];
  if (key === undefined || versionId === undefined) throw new S3Error('ERR_S3_UPSTREAM_PROTOCOL');
  return { key, versionId };
}

function nextVersion(root: XmlTree): KeyVersion | undefined {
  if (childText(root, 'IsTruncated') !== 'true') return undefined;
  return { key: childText(root, 'NextKeyMarker') ?? '', versionId: childText(root, 'NextVersionIdMarker') ?? '' };
}
