/**
 * Request headers: from Node's raw list into one map for the signature, and from that into what operations and upstreams get.
 *
 * Threat: repeated headers, and `x-amz-` headers hidden in the query (S3 honours both), must have one meaning here and behind us.
 */
import { S3Error } from '../errors.ts';
import type { S3Headers, S3Query } from '../operation.ts';

/** These decide who asks, for what and how long: repeated, they are refused. */
const ONCE =
  /^(?:authorization|host|content-length|content-md5|content-type|date|range|expect|transfer-encoding|if-.*|x-amz-(?!meta-).*)$/u;

/** Names that say what is to be done, each read by S3 in one spelling. */
const TELLING = /^(?:x-amz-(?!meta-)|authorization$|content-|transfer-|host$|expect$|range$|if-)/u;

/**
 * Backends behind CGI or WSGI take `_` in a name for `-` (so does Ceph RGW 16): `x_amz_copy_source` would copy what `x-amz-copy-source`
 * may not, unsigned at that. In the names of user metadata an underscore is only itself.
 */
function refuseUnderscores(name: string): void {
  if (!name.includes('_') || name.startsWith('x-amz-meta-')) return;
  const read = name.replaceAll('_', '-');
  if (TELLING.test(read) || read.startsWith('x-amz-meta-'))
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', `A header must not be spelled with underscores: ${read}`);
}

/** Lower-case names; repeated ones joined by `,`, as the signature has them. */
export function collectHeaders(rawHeaders: readonly string[]): S3Headers {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    refuseUnderscores(name);
    const value = rawHeaders[at + 1] ?? '';
    const known = headers[name];
    if (known !== undefined && ONCE.test(name))
      throw new S3Error('ERR_S3_INVALID_ARGUMENT', `The header ${name} is given twice.`);
    headers[name] = known === undefined ? value : `${known},${value}`;
  }
  return headers;
}

/** Parameters of the signature, not of the operation. */
const SIGNATURE_PARAMETERS = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

/**
 * Checksums in a query are ignored, as S3 ignores them: SDKs presign uploads with the checksum of the empty body they have at that time
 * (LocalStack#12169, checked there against S3).
 */
const IGNORED_IN_QUERY = /^x-amz-(?:sdk-checksum-algorithm|checksum-(?!algorithm$|mode$|type$).*)$/u;

const notAHeader = (): S3Error =>
  new S3Error('ERR_S3_INVALID_ARGUMENT', 'A query parameter or form field that stands for a header cannot be one.');

/** A line end in a header's value would be a header of its own, here or at a backend (Ceph RGW 16 writes it out). */
function refuseControls(value: string): void {
  if (/[\0-\x08\x0a-\x1f\x7f]/u.test(value)) throw notAHeader();
}

/** A text as a header's bytes; ERR_S3_INVALID_ARGUMENT where it cannot be one. `name` in small letters. */
export function headerValue(name: string, value: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(name)) throw notAHeader();
  refuseControls(value);
  refuseUnderscores(name);
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** Headers that presigned URLs carry in their query become headers again; signature parameters are dropped. */
export function hoistQueryHeaders(query: S3Query, headers: S3Headers): { query: S3Query; headers: S3Headers } {
  const rest = new Map<string, string>();
  const hoisted: Record<string, string> = {};
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (lower.startsWith('response-')) refuseControls(value);
    if (!lower.startsWith('x-amz-')) rest.set(name, value);
    else if (!SIGNATURE_PARAMETERS.has(lower) && !IGNORED_IN_QUERY.test(lower)) {
      if (hoisted[lower] !== undefined || headers[lower] !== undefined) {
        throw new S3Error('ERR_S3_INVALID_ARGUMENT', `${lower} is given twice.`);
      }
      hoisted[lower] = headerValue(lower, value);
    }
  }
  return { query: rest, headers: { ...headers, ...hoisted } };
}

/** Of the connection, the framing or the signature: made afresh on each leg (RFC 9110, 7.6.1). */
const OF_THIS_LEG = new Set([
  'authorization',
  'connection',
  'content-length',
  'date',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-security-token',
  'x-amz-trailer',
]);

/**
 * Some programs read another method, host, path or caller (Swift's tokens) out of these than the request has, and nobody signed them: what a
 * rule was asked about would not be what is done. Proxies in front of us add some of them, so they are dropped and not refused.
 */
const OF_OTHER_READINGS =
  /^(?:x-http-method(?:-override)?|x-method-override|x-original-(?:url|uri|host|method)|x-rewrite-url|forwarded|x-forwarded-(?:host|port|proto|prefix|server|uri|method)|x-(?:auth|storage|service)-token)$/u;

/** What an operation sees: no framing, no signature; `aws-chunked` taken out of Content-Encoding. */
export function operationHeaders(headers: S3Headers): S3Headers {
  const named = new Set(
    (headers['connection'] ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (OF_OTHER_READINGS.test(name)) continue;
    if (OF_THIS_LEG.has(name) || name.startsWith('proxy-') || (named.has(name) && !name.startsWith('x-amz-'))) continue;
    if (name !== 'content-encoding') kept[name] = value;
    else if (withoutAwsChunked(value) !== '') kept[name] = withoutAwsChunked(value);
  }
  return kept;
}

function withoutAwsChunked(value: string): string {
  if (!/aws-chunked/iu.test(value)) return value;
  return value
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked')
    .join(',');
}

/** The names our envelope lives under; S3 lower-cases metadata names, some backends take `_` for `-`. */
export function isReservedName(name: string): boolean {
  return /^x-amz-meta-sealgate/u.test(name.toLowerCase().replaceAll('_', '-'));
}

/** Clients can never set our metadata names, in any bucket. */
export function refuseReservedNames(headers: S3Headers): void {
  if (Object.keys(headers).some(isReservedName)) throw new S3Error('ERR_S3_RESERVED_NAME');
}
