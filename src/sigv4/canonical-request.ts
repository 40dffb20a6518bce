/**
 * The canonical request of Signature Version 4 with S3's rules: the path as it was sent (no second encoding, no dot segments
 * removed), the query sorted by encoded name and value, header values trimmed with runs of spaces collapsed.
 * Verification and signing share it. Strings are latin1: each char is one byte of the wire.
 * Source: AWS, "Create a signed AWS API request"; "Signature Calculations for the Authorization Header" (S3).
 */
import { hash } from 'node:crypto';
import { decodeQueryPart, encodeUri } from './percent-encoding.ts';

export type CanonicalInput = {
  readonly method: string;
  /** As sent: percent-encoded, begins with `/`. */
  readonly path: string;
  /** As sent, without the `?`. */
  readonly query: string;
  /** Lower-case names; repeated headers joined by `,`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Lower-case, sorted. */
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
};

/** The canonical request as text. A signed header that did not come counts as empty. */
export function canonicalRequest(input: CanonicalInput): string {
  const headers = input.signedHeaders.map((name) => `${name}:${canonicalHeaderValue(input.headers[name] ?? '')}\n`);
  return [
    input.method,
    input.path,
    canonicalQuery(input.query),
    headers.join(''),
    input.signedHeaders.join(';'),
    input.payloadHash,
  ].join('\n');
}

/** SHA-256 of the text's bytes (latin1), in hex. */
export function hashText(text: string): string {
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex');
}

export function canonicalHeaderValue(value: string): string {
  const trimmed = withoutBlanksAround(value);
  return trimmed.includes('  ') ? trimmed.replace(/ {2,}/gu, ' ') : trimmed;
}

/**
 * Spaces of HTTP alone: to `trim` the second byte of `à` in UTF-8 would be one (U+00A0). By a loop: an expression for the end of a text tries
 * each blank before it, and 60 KB of them, which nobody need have signed to be read here, took seconds.
 */
function withoutBlanksAround(value: string): string {
  let [from, to] = [0, value.length];
  while (from < to && isBlank(value.charCodeAt(from))) from += 1;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Pairs re-encoded and sorted; `X-Amz-Signature` left out. Parts that do not decode stay as they came. */
export function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs: (readonly [string, string])[] = [];
  for (const text of query.split('&')) {
    if (text === '') continue;
    const pair = canonicalPair(text);
    if (pair[0] !== 'X-Amz-Signature') pairs.push(pair);
  }
  let canonical = '';
  for (const [name, value] of pairs.sort(byNameThenValue))
    canonical += `${canonical === '' ? '' : '&'}${name}=${value}`;
  return canonical;
}

function canonicalPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  if (equals < 0) return [reencode(pair), ''];
  return [reencode(pair.slice(0, equals)), reencode(pair.slice(equals + 1))];
}

/** What every client sends as it is: nothing to decode, nothing to encode. */
const PLAIN = /^[\w.~-]*$/u;

function reencode(part: string): string {
  if (PLAIN.test(part)) return part;
  const decoded = decodeQueryPart(part);
  return decoded === undefined ? part : encodeUri(decoded);
}

/** By code point of the encoded form: encoded text is ASCII, so string order is byte order. */
function byNameThenValue(a: readonly [string, string], b: readonly [string, string]): number {
  return compare(a[0], b[0]) || compare(a[1], b[1]);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
