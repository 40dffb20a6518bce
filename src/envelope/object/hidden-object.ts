/**
 * Hidden objects: what an open upload keeps in the bucket beside its parts. They are never listed, exist only while the upload is
 * open, and are swept.
 *
 *   .sealgate/uploads/<object id, hex>/token            the upload token's text: the upload can be resumed from a listing
 *   .sealgate/uploads/<object id, hex>/part-<00001>     a held part: header (flag held) | stream of 64 KiB segments | record
 *   .sealgate/uploads/<object id, hex>/mark-<random>    empty: somebody is completing the upload (8 random bytes in hex)
 *
 * A held part is sealed by `BodySealer` with `held: true` under the upload's own DEK and object id; its header's flag keeps it from
 * ever passing for a part of the object. Complete opens it and seals it anew, final, with the footer block in its padding. Held are last
 * parts below 5 MiB, and any of number 10 000.
 */
import { MAX_PART_NUMBER } from '../limits.ts';

/** Everything under it is ours in a bucket with a sealing rule. */
export const HIDDEN_PREFIX = '.sealgate/';
const UPLOADS_PREFIX = `${HIDDEN_PREFIX}uploads/`;
const HIDDEN_NAME = /^\.sealgate\/uploads\/([0-9a-f]{32})\/(?:(token)|part-([0-9]{5})|(mark)-[0-9a-f]{16})$/u;

export type HiddenName = { readonly objectId: Uint8Array } & (
  { readonly type: 'token' | 'mark' } | { readonly type: 'part'; readonly partNumber: number }
);

/** The prefix of all hidden objects of one upload. */
export function hiddenUploadPrefix(objectId: Uint8Array): string {
  return `${UPLOADS_PREFIX}${Buffer.from(objectId).toString('hex')}/`;
}

export function hiddenTokenKey(objectId: Uint8Array): string {
  return `${hiddenUploadPrefix(objectId)}token`;
}

export function hiddenPartKey(objectId: Uint8Array, partNumber: number): string {
  return `${hiddenUploadPrefix(objectId)}part-${String(partNumber).padStart(5, '0')}`;
}

/** `id`: 8 bytes, fresh for each completion. */
export function hiddenMarkKey(objectId: Uint8Array, id: Uint8Array): string {
  return `${hiddenUploadPrefix(objectId)}mark-${Buffer.from(id).toString('hex')}`;
}

/** What a hidden object's key says; undefined for keys that are not of this form. */
export function parseHiddenKey(key: string): HiddenName | undefined {
  const [, id, token, part, mark] = HIDDEN_NAME.exec(key) ?? [];
  if (id === undefined) return undefined;
  const objectId = Uint8Array.from(Buffer.from(id, 'hex'));
  if (token !== undefined) return { objectId, type: 'token' };
  if (mark !== undefined) return { objectId, type: 'mark' };
  const partNumber = Number(part);
  return partNumber >= 1 && partNumber <= MAX_PART_NUMBER ? { objectId, type: 'part', partNumber } : undefined;
}
