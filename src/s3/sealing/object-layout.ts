/**
 * Where the plaintext of a sealed object lies. Learned from authenticated bytes (header of a single PUT, footer of a multipart object)
 * and remembered by ETag, so that a range of a known object costs one request.
 */
import { FOOTER_BLOCK_BYTES } from '../../envelope/limits.ts';
import {
  matchesParts,
  openFooter,
  type Footer,
  type FooterInput,
  type FooterPart,
  type ObjectChecksum,
} from '../../envelope/object/footer.ts';
import { decodePartHeader } from '../../envelope/object/part-header.ts';
import { partTable, type PlacedPart } from '../../envelope/object/part-table.ts';
import {
  BODY_PREFIX_BYTES,
  PART_HEADER_BYTES,
  PART_OVERHEAD,
  plainSize,
  type BodyShape,
} from '../../envelope/object/sizes.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { ObjectKey } from './data-key.ts';
import type { OpenedEnvelope } from './envelope-headers.ts';
import { mapBounded } from './bounded-map.ts';
import { fetchStored, type StoredAnswer } from './fetch-stored.ts';
import { PART_LOOKUPS_AT_ONCE } from './limits.ts';
import { invalidObject, opening } from './sealed-errors.ts';

export type ObjectLayout = {
  readonly type: 'single' | 'multipart';
  /** The backend's: what the layout is true for. */
  readonly etag: string;
  readonly storedSize: number;
  readonly plainSize: number;
  /** One part, of number 0, for a single PUT. The footer part is none of them. */
  readonly parts: readonly PlacedPart[];
  /** Of a multipart object, from its sealed list. */
  readonly checksum: ObjectChecksum | undefined;
  /** First 104 bytes of parts that were read, by part number: grows with use. */
  readonly prefixes: Map<number, Uint8Array>;
};

/** The layout of a single PUT. Throws where no sealed object has this size. */
export function singleLayout(stored: StoredAnswer): ObjectLayout {
  const size = plainSize(stored.storedSize);
  if (size === undefined) throw invalidObject();
  const part = { partNumber: 0, plainLength: size, plainStart: 0, storedStart: 0, storedLength: stored.storedSize };
  return {
    type: 'single',
    ...placeOf(stored),
    plainSize: size,
    parts: [part],
    checksum: undefined,
    prefixes: new Map(),
  };
}

/** The layout of a multipart object: one read of its tail, and where the footer had no room for the parts, one of each part's header, some at once. */
export async function multipartLayout(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  key: ObjectKey,
): Promise<ObjectLayout> {
  const footer = await readFooter(request, gateway, stored, key);
  const parts = footer.parts ?? (await walkParts(request, gateway, stored, key, footer));
  const table = partTable(parts);
  const end = table.parts.at(-1);
  const footerPart = stored.storedSize - (end === undefined ? 0 : end.storedStart + end.storedLength);
  if (table.plainSize !== footer.plainSize || (footerPart !== 0 && footerPart !== PART_OVERHEAD)) throw invalidObject();
  return { type: 'multipart', ...placeOf(stored), ...table, checksum: footer.checksum, prefixes: new Map() };
}

/** The layout of either kind, remembered or learned and then remembered: of many readers that come at once the first learns it for all. */
export async function layoutOf(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { envelope, key }: OpenedEnvelope,
): Promise<ObjectLayout> {
  const remembered = (): ObjectLayout | undefined => {
    const known = knownLayout(request, gateway);
    return known?.etag === stored.etag && known.storedSize === stored.storedSize ? known : undefined;
  };
  const learned = async (): Promise<ObjectLayout> => {
    const known = remembered();
    if (known !== undefined) return known;
    const layout =
      envelope.layout === 'single' ? singleLayout(stored) : await multipartLayout(request, gateway, stored, key);
    rememberLayout(request, gateway, layout);
    return layout;
  };
  if (envelope.layout === 'single') return learned();
  return remembered() ?? gateway.caches.layoutReads.run(`${layoutName(request)} ${stored.etag}`, learned);
}

/** The sealed list at a multipart object's end. */
export async function readFooter(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  key: Pick<ObjectKey, 'dek' | 'objectId'>,
): Promise<Footer> {
  const from = stored.storedSize - FOOTER_BLOCK_BYTES;
  if (from < 0) throw invalidObject();
  const tail = await fetchStored(request, gateway, stored, { from, to: stored.storedSize - 1 });
  return opening(() => openFooter(tail, key.dek, key.objectId));
}

/** Very many unlike parts: their headers say where the next begins. Rare, not fast, and remembered. */
async function walkParts(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  key: ObjectKey,
  footer: Footer,
): Promise<readonly FooterPart[]> {
  const groups = storedGroups(footer);
  const walked = await mapBounded(groups, PART_LOOKUPS_AT_ONCE, (group) =>
    walkGroup(request, gateway, stored, key, group),
  );
  const parts = walked.flat();
  if (!matchesParts(footer, parts)) throw invalidObject();
  return parts;
}

/** Parts that lie one behind the other; `end`: the first stored byte that is none of theirs. */
type StoredGroup = { readonly start: number; readonly end: number; readonly count: number };

/** All parts in one group where the footer says nothing of groups. */
function storedGroups({ partCount, plainSize, groups }: Footer): readonly StoredGroup[] {
  const { size, lengths } = groups ?? { size: partCount, lengths: [] };
  const all: StoredGroup[] = [];
  let [start, left] = [0, plainSize];
  for (const [index, length] of [...lengths, undefined].entries()) {
    const count = Math.min(size, partCount - index * size);
    const plain = length ?? left;
    const end = start + plain + count * PART_OVERHEAD;
    all.push({ start, end, count });
    [start, left] = [end, left - plain];
  }
  return all;
}

async function walkGroup(
  request: S3Request,
  gateway: GatewayContext,
  stored: StoredAnswer,
  { dek, objectId }: ObjectKey,
  { start, end, count }: StoredGroup,
): Promise<readonly FooterPart[]> {
  const parts: FooterPart[] = [];
  let from = start;
  while (parts.length < count) {
    if (from + PART_OVERHEAD > Math.min(end, stored.storedSize)) throw invalidObject();
    const range = { from, to: from + BODY_PREFIX_BYTES - 1 };
    const prefix = await fetchStored(request, gateway, stored, range);
    const header = opening(() => decodePartHeader(prefix.subarray(0, PART_HEADER_BYTES), dek, objectId));
    parts.push({ partNumber: header.partNumber, plainLength: header.plainLength });
    from += header.plainLength + PART_OVERHEAD;
  }
  if (from !== end) throw invalidObject();
  return parts;
}

const placeOf = ({ etag, storedSize }: StoredAnswer): { etag: string; storedSize: number } => ({ etag, storedSize });

const layoutName = ({ bucket, key, query }: S3Request): string =>
  JSON.stringify([bucket, key, query.get('versionId') ?? '']);

/** The layout a footer lists, where it had room for the lengths. */
export function footerLayout(stored: StoredAnswer, footer: Footer): ObjectLayout | undefined {
  if (footer.parts === undefined) return undefined;
  const { checksum, parts } = footer;
  return { type: 'multipart', ...placeOf(stored), ...partTable(parts), checksum, prefixes: new Map() };
}

/** The layout of an object that was completed just now, footer part and all, before anybody asks for it. */
export function completedLayout(etag: string, { parts, checksum }: FooterInput, hasFooterPart: boolean): ObjectLayout {
  const table = partTable(parts);
  const last = table.parts.at(-1);
  const end = last === undefined ? 0 : last.storedStart + last.storedLength;
  const storedSize = end + (hasFooterPart ? PART_OVERHEAD : 0);
  return { type: 'multipart', etag, storedSize, ...table, checksum, prefixes: new Map() };
}

/** What the sizes of a part's body follow from. */
export const bodyShape = ({ type }: ObjectLayout, { partNumber, plainLength }: FooterPart): BodyShape => ({
  layout: type === 'single' ? 'single' : 'part',
  partNumber,
  plainLength,
});

/** What is remembered of the request's object; true only if the ETag still is. */
export const knownLayout = (request: S3Request, gateway: GatewayContext): ObjectLayout | undefined =>
  gateway.caches.layouts.get(layoutName(request));

export function rememberLayout(request: S3Request, gateway: GatewayContext, layout: ObjectLayout): void {
  gateway.caches.layouts.set(layoutName(request), layout);
}

export function forgetLayout(request: S3Request, gateway: GatewayContext): void {
  gateway.caches.layouts.delete(layoutName(request));
}
