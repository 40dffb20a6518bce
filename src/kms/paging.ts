/** Lists come in pages: `Limit` and `Marker` in, `NextMarker` and `Truncated` out. A marker names the last item of a page. */
import type { Page, PageRequest } from '../keys/admin/key-settings.ts';
import { KmsError } from './errors.ts';
import { integer, optional, patterned } from './shapes/shapes.ts';

/** Members of every list's input. */
export const PAGE_INPUT = {
  Limit: optional(integer(1, 1000)),
  Marker: optional(patterned(1, 1024, String.raw`[\u0020-\u00FF]*`)),
};

type PageInput = { readonly Limit: number | undefined; readonly Marker: string | undefined };

type Pages = {
  readonly usual: number;
  readonly most: number;
  /** What names of items look like; undefined: a list may begin after any text. */
  readonly names?: RegExp;
};

/** A list gives what is asked for, and never more than its `most`: fewer is always allowed. ERR_KMS_INVALID_MARKER. */
export function pageRequest(list: string, { Limit, Marker }: PageInput, { usual, most, names }: Pages): PageRequest {
  const after = Marker === undefined ? undefined : afterMarker(list, Marker);
  // A made-up one would begin the list anew, and whoever goes by it would never come to its end.
  if (after !== undefined && names?.test(after) === false) throw new KmsError('ERR_KMS_INVALID_MARKER');
  return { limit: Math.min(Limit ?? usual, most), after };
}

/** Ids of grants and of key material. */
export const HEX_NAMES = /^[0-9a-f]{64}$/u;

/** `Truncated`, and `NextMarker` where there is more; `nameOf` gives what the next page comes after. */
export function pageOutput<Item>(
  list: string,
  { items, more }: Page<Item>,
  nameOf: (item: Item) => string,
): { readonly Truncated: boolean; readonly NextMarker: string | undefined } {
  const last = items.at(-1);
  if (!more || last === undefined) return { Truncated: false, NextMarker: undefined };
  return { Truncated: true, NextMarker: Buffer.from(`${list}:${nameOf(last)}`).toString('base64url') };
}

function afterMarker(list: string, marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  const isOurs = text.startsWith(`${list}:`) && Buffer.from(text).toString('base64url') === marker;
  if (!isOurs) throw new KmsError('ERR_KMS_INVALID_MARKER');
  return text.slice(list.length + 1);
}
