/**
 * What tells the rows of one region from those of another that have the same name: keys of several regions may have one id, and each
 * region its own `alias/app`. Rows of the home region have bare names, as all had before there were others (docs/KEYSTORE.md, "Regions").
 */
import { KeysError } from '../errors.ts';

/** Undefined: the home region, whatever the config calls it. */
export type RowRegion = string | undefined;

const MARK = '@';

export function rowName(name: string, region: RowRegion): string {
  return region === undefined ? name : `${name}${MARK}${region}`;
}

/** Neither ids nor alias names have the mark in them. */
export function parseRowName(text: string): { readonly name: string; readonly region: RowRegion } {
  const at = text.indexOf(MARK);
  return at < 0 ? { name: text, region: undefined } : { name: text.slice(0, at), region: text.slice(at + 1) };
}

export function materialRowId(materialId: Uint8Array, region: RowRegion): Uint8Array<ArrayBuffer> {
  return new Uint8Array(region === undefined ? materialId : Buffer.concat([materialId, Buffer.from(MARK + region)]));
}

export function parseMaterialRowId(
  bytes: Uint8Array,
  idBytes: number,
): { readonly materialId: Uint8Array; readonly region: RowRegion } {
  if (bytes.length === idBytes) return { materialId: bytes, region: undefined };
  const { name, region } = parseRowName(Buffer.from(bytes.subarray(idBytes)).toString('utf8'));
  if (bytes.length > idBytes && name === '' && region !== undefined)
    return { materialId: bytes.subarray(0, idBytes), region };
  throw new KeysError('ERR_KEYS_STORE_VERSION', 'materials.material_id holds a value this release does not know');
}
