/**
 * ETags under a sealing rule: the backend's, with `-0` appended to a bare 32-hex value, undone on the way back. rclone and s3cmd take
 * any 32-hex ETag for the plaintext's MD5 and delete the object when it differs; `-0` is no number of parts, so it is never ambiguous.
 */

const BARE_MD5 = /^[0-9a-f]{32}$/iu;
const MARKED_MD5 = /^([0-9a-f]{32})-0$/iu;
/** What stores give: nothing to trim. */
const QUOTED_HEX = /^"[0-9a-f-]*"$/u;
const PARTS_SUFFIX = /-([1-9][0-9]{0,4})$/u;

/** Without quotes and weakness mark. */
export function bareEtag(etag: string): string {
  if (QUOTED_HEX.test(etag)) return etag.slice(1, -1);
  return etag
    .trim()
    .replace(/^W\//u, '')
    .replace(/^"(.*)"$/u, '$1');
}

/** The backend's ETag as clients see it, quoted. */
export function clientEtag(upstreamEtag: string): string {
  const bare = bareEtag(upstreamEtag);
  return `"${BARE_MD5.test(bare) ? `${bare}-0` : bare}"`;
}

/** A client's ETag as the backend knows it, without quotes. Inverse of `clientEtag`. */
export function upstreamEtag(etag: string): string {
  const bare = bareEtag(etag);
  const marked = MARKED_MD5.exec(bare);
  // A bare MD5 is no ETag we ever gave; it must not match the backend's by its value alone.
  if (marked === null) return BARE_MD5.test(bare) ? `${bare}-bare` : bare;
  return marked[1] ?? bare;
}

/** The list of If-Match or If-None-Match as the backend knows it. */
export function upstreamEtagList(list: string): string {
  if (list.trim() === '*') return '*';
  return splitEtagList(list)
    .map((etag) => `"${upstreamEtag(etag)}"`)
    .join(', ');
}

export function splitEtagList(list: string): readonly string[] {
  return list
    .split(',')
    .map(bareEtag)
    .filter((etag) => etag !== '');
}

/** How many parts the backend says a multipart object has; undefined where the ETag does not say. */
export function partsInEtag(upstreamEtag: string): number | undefined {
  const count = PARTS_SUFFIX.exec(bareEtag(upstreamEtag))?.[1];
  return count === undefined ? undefined : Number(count);
}
