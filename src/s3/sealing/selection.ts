/** Which bytes of the plaintext a GET or HEAD asks for: all, a range, or a part by its number. */
import { S3Error } from '../errors.ts';
import { parsePartNumber } from '../multipart/part-number.ts';
import type { S3Headers, S3Request } from '../operation.ts';
import { checkIfRange } from './conditions.ts';
import type { ObjectLayout } from './object-layout.ts';
import { parseRangeHeader, resolveRange, type ByteRange, type RangeRequest } from './range-header.ts';

export type Selection =
  | { readonly type: 'whole' }
  | { readonly type: 'range'; readonly range: RangeRequest }
  | { readonly type: 'part'; readonly partNumber: number };

/** Throws ERR_S3_INVALID_REQUEST where both a range and a part are asked for. */
export function selectionOf({ headers, query }: S3Request): Selection {
  const range = parseRangeHeader(headers['range']);
  const part = query.get('partNumber');
  if (part === undefined) return range === undefined ? { type: 'whole' } : { type: 'range', range };
  if (range !== undefined) {
    throw new S3Error('ERR_S3_INVALID_REQUEST', 'Cannot specify both Range header and partNumber query parameter');
  }
  return { type: 'part', partNumber: parsePartNumber(part) };
}

/** A range that was asked for on a condition falls back to the whole where the condition does not hold (RFC 9110 13.1.5). */
export function withIfRange(selection: Selection, request: S3Headers, upstream: S3Headers): Selection {
  return selection.type === 'range' && !checkIfRange(request, upstream) ? { type: 'whole' } : selection;
}

/** The bytes selected of an object, none of an empty part; undefined: all, answered with status 200. Throws ERR_S3_INVALID_RANGE. */
export function selectedBytes(selection: Selection, layout: ObjectLayout): ByteRange | undefined {
  if (selection.type === 'whole') return undefined;
  if (selection.type === 'range') return resolveRange(selection.range, layout.plainSize);
  const number = layout.type === 'single' ? selection.partNumber - 1 : selection.partNumber;
  const part = layout.parts.find(({ partNumber }) => partNumber === number);
  if (part === undefined) throw noSuchPart(selection.partNumber, layout.parts.length);
  // Of an empty object its only part is all of it.
  if (layout.plainSize === 0) return undefined;
  return { from: part.plainStart, to: part.plainStart + part.plainLength - 1 };
}

/** An empty part among others: it has no bytes to read, nor to name in a Content-Range. */
export const isNothing = ({ from, to }: ByteRange): boolean => to < from;

export const noSuchPart = (asked: number, count: number): S3Error =>
  new S3Error('ERR_S3_INVALID_RANGE', 'The requested partnumber is not satisfiable', {
    s3Code: 'InvalidPartNumber',
    details: { ActualPartCount: String(count), PartNumberRequested: String(asked) },
  });

/** Length and range of an answer. */
export function selectedHeaders(
  selected: ByteRange | undefined,
  selection: Selection,
  layout: ObjectLayout,
): S3Headers {
  const parts = selection.type === 'part' && layout.type === 'multipart' ? String(layout.parts.length) : undefined;
  const length = selected === undefined ? layout.plainSize : selected.to - selected.from + 1;
  return {
    ...(parts === undefined ? {} : { 'x-amz-mp-parts-count': parts }),
    'content-length': String(length),
    ...(selected === undefined || isNothing(selected)
      ? {}
      : { 'content-range': `bytes ${selected.from}-${selected.to}/${layout.plainSize}` }),
  };
}
