/** GetObjectAttributes of a still-plain object, of what a HEAD of it says: not every store has the operation. */
import { CHECKSUM_ALGORITHMS } from '../bodies/checksums.ts';
import type { XmlContent } from '../listing/xml-tree.ts';
import type { S3Headers } from '../operation.ts';
import { bareEtag, clientEtag, partsInEtag } from '../sealing/etag.ts';
import type { StoredAnswer } from '../sealing/fetch-stored.ts';

/** `stored`: asked for with its checksum. All attributes that are known; which of them were asked for is the caller's to see to. */
export function plainAttributes({
  etag,
  headers,
  storedSize,
}: StoredAnswer): Readonly<Record<string, XmlContent | undefined>> {
  const parts = partsInEtag(etag);
  return {
    ETag: bareEtag(clientEtag(etag)),
    Checksum: checksumContent(headers),
    ObjectParts: parts === undefined ? undefined : { PartsCount: parts },
    StorageClass: headers['x-amz-storage-class'] ?? 'STANDARD',
    ObjectSize: storedSize,
  };
}

function checksumContent(headers: S3Headers): XmlContent | undefined {
  const rows = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = headers[`x-amz-checksum-${algorithm}`];
    // Here S3 leaves the number of parts out.
    return value === undefined ? [] : [[`Checksum${algorithm.toUpperCase()}`, value.replace(/-[0-9]+$/u, '')] as const];
  });
  const type = headers['x-amz-checksum-type'];
  return rows.length === 0
    ? undefined
    : { ...Object.fromEntries(rows), ...(type === undefined ? {} : { ChecksumType: type }) };
}
