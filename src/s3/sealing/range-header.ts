/** The Range header of GET and HEAD, in S3's reading of RFC 9110 14.2: one range is honoured, several or malformed ones are ignored. */
import { S3Error } from '../errors.ts';

export type RangeRequest =
  /** From an offset to one (inclusive), or to the end. */
  | { readonly type: 'from'; readonly from: number; readonly to: number | undefined }
  /** The last bytes. */
  | { readonly type: 'suffix'; readonly length: number };

/** Inclusive offsets of plaintext. */
export type ByteRange = { readonly from: number; readonly to: number };

// Blanks around an offset are looked at apart: beside each other, two runs of them would cost the square of a header's length.
const ONE_RANGE = /^bytes=([0-9\s]*)-([0-9\s]*)$/iu;

/** Undefined where the whole object is to be sent: no header, another unit, several ranges, an order that makes no sense. */
export function parseRangeHeader(header: string | undefined): RangeRequest | undefined {
  const match = header === undefined ? null : ONE_RANGE.exec(header);
  if (match === null) return undefined;
  const [first = '', last = ''] = match.slice(1).map((text) => text.trim());
  // Digits with blanks between them are no offset.
  if (/\s/u.test(first + last)) return undefined;
  if (first === '') return last === '' ? undefined : { type: 'suffix', length: offset(last) };
  const from = offset(first);
  const to = last === '' ? undefined : offset(last);
  return to !== undefined && to < from ? undefined : { type: 'from', from, to };
}

// Digits beyond what a number holds exactly mean "beyond any end".
const offset = (digits: string): number => Math.min(Number(digits), Number.MAX_SAFE_INTEGER);

/** The bytes a range means in an object of `size` bytes. Throws ERR_S3_INVALID_RANGE where there are none. */
export function resolveRange(range: RangeRequest, size: number): ByteRange {
  const from = range.type === 'suffix' ? Math.max(0, size - range.length) : range.from;
  const to = range.type === 'suffix' ? size - 1 : Math.min(range.to ?? size - 1, size - 1);
  if (from <= to && !(range.type === 'suffix' && range.length === 0)) return { from, to };
  throw new S3Error('ERR_S3_INVALID_RANGE', undefined, {
    details: { RangeRequested: formatRange(range), ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  });
}

export function formatRange(range: RangeRequest): string {
  return range.type === 'suffix' ? `bytes=-${range.length}` : `bytes=${range.from}-${range.to ?? ''}`;
}

/** `content-range: bytes a-b/total` of an answer; undefined where it cannot be read. */
export function parseContentRange(header: string | undefined): (ByteRange & { readonly total: number }) | undefined {
  const match = /^bytes ([0-9]{1,16})-([0-9]{1,16})\/([0-9]{1,16})$/u.exec(header ?? '');
  if (match === null) return undefined;
  return { from: Number(match[1]), to: Number(match[2]), total: Number(match[3]) };
}
