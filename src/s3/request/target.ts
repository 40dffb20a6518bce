/**
 * What a request is about: path and query as they were sent (for the signature), and bucket and key as they are meant.
 *
 * Threat: a backend that normalises paths would let `pass/../sealed/key` reach another bucket or prefix than the one the rules were
 * asked about; names with dot segments are refused.
 */
import { posix } from 'node:path';
import { decodeQueryPart, decodeUri } from '../../sigv4/percent-encoding.ts';
import { S3Error } from '../errors.ts';
import { MAX_KEY_BYTES } from '../limits.ts';
import type { S3Query } from '../operation.ts';

export type RawTarget = { readonly path: string; readonly query: string };
export type Place = { readonly bucket: string; readonly key: string };

const ORIGIN = /^https?:\/\/([^/?]*)/iu;

/**
 * Splits the request line's target; the absolute form (`GET http://host/path`) loses its origin. One that is not `host`, the header, is refused:
 * by RFC 9112 (3.2.2) it counts, but what is signed is the header, and either may name the bucket.
 */
export function splitTarget(target: string, host: string): RawTarget {
  const origin = target.startsWith('/') ? undefined : ORIGIN.exec(target)?.[1];
  if (origin !== undefined && origin.toLowerCase() !== host.toLowerCase()) throw new S3Error('ERR_S3_INVALID_URI');
  const relative = target.startsWith('/') ? target : target.replace(ORIGIN, '');
  const question = relative.indexOf('?');
  const path = question < 0 ? relative : relative.slice(0, question);
  const query = question < 0 ? '' : relative.slice(question + 1);
  if (path !== '' && !path.startsWith('/')) throw new S3Error('ERR_S3_INVALID_URI');
  return { path: path === '' ? '/' : path, query };
}

/** Bucket and key of a path-style path, or of a virtual-host-style one where the host says the bucket. */
export function locate(path: string, host: string, domains: readonly string[]): Place {
  const decoded = decodeUri(path);
  if (decoded === undefined) throw new S3Error('ERR_S3_INVALID_URI');
  const virtual = bucketOfHost(host, domains);
  const rest = decoded.slice(1);
  if (virtual !== undefined) return checked({ bucket: virtual, key: rest });
  const slash = rest.indexOf('/');
  return checked(slash < 0 ? { bucket: rest, key: '' } : { bucket: rest.slice(0, slash), key: rest.slice(slash + 1) });
}

/** `bucket.domain[:port]` for one of our domains; undefined for anything else. */
export function bucketOfHost(host: string, domains: readonly string[]): string | undefined {
  // With a dot at its end it is the same name, written from the root.
  const name = host.toLowerCase().replace(/:\d+$/u, '').replace(/\.$/u, '');
  const within = domains.map((domain) => domain.toLowerCase()).filter((domain) => `.${name}`.endsWith(`.${domain}`));
  // Of `s3.test` and `test`, the host `s3.test` is the former itself and no bucket of the latter.
  const longest = within.reduce((a, b) => (b.length > a.length ? b : a), '');
  return longest === '' || longest === name ? undefined : name.slice(0, -longest.length - 1);
}

/** Endings that S3 keeps for aliases of access points: such a name stands for another bucket than the rules would be asked about. */
const ALIAS = /(?:-s3alias|--ol-s3|\.mrap)$/iu;

/** Throws where bucket or key cannot be named safely. */
export function checked(place: Place): Place {
  const { bucket, key } = place;
  if (bucket === '' && key !== '') throw new S3Error('ERR_S3_INVALID_BUCKET_NAME');
  // Old buckets have capitals and underscores; what matters is that the name is one plain path segment.
  if (bucket !== '' && (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/u.test(bucket) || ALIAS.test(bucket)))
    throw new S3Error('ERR_S3_INVALID_BUCKET_NAME', undefined, { details: { BucketName: bucket } });
  if (Buffer.byteLength(key) > MAX_KEY_BYTES)
    throw new S3Error('ERR_S3_KEY_TOO_LONG', undefined, {
      details: { Size: String(Buffer.byteLength(key)), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
  if (key.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new S3Error('ERR_S3_INVALID_URI', 'Keys with "." or ".." segments are not supported.');
  }
  return place;
}

/** A key as a backend reads it that keeps keys as paths of files (empty segments fall away, `\` may part them); undefined: as it is. */
export function pathReading(key: string): string | undefined {
  const reading = posix.normalize(`/${key.replaceAll('\\', '/')}`).slice(1);
  return reading === key ? undefined : reading;
}

/** Decoded names and values, in order. A name that comes twice has two meanings, so it is refused. */
export function parseQuery(query: string): S3Query {
  const pairs = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeQueryPart(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decodeQueryPart(pair.slice(equals + 1));
    if (name === undefined || value === undefined) throw new S3Error('ERR_S3_INVALID_URI');
    if (pairs.has(name)) throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'A query parameter is given twice.');
    pairs.set(name, value);
  }
  return pairs;
}
