/** What the import actions share, and how imported material is shown. */
import type { KeyExpiration } from '../keys/admin/key-admin.ts';
import type { ImportDescription } from '../keys/life/key-lifecycle.ts';
import type { JsonOutput } from './json/write.ts';
import { blob, oneOf, patterned } from './shapes/shapes.ts';

export const EXPIRATION_MODEL = oneOf('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE');
/** Import tokens and wrapped material. */
export const SEALED = blob(1, 6144);
export const KEY_MATERIAL_ID = patterned(64, 64, '^[a-f0-9]+$');

/** Members of KeyMetadata and of a rotation; none where there is nothing imported. */
export function expirationOutput(expiration: KeyExpiration | undefined): { readonly [member: string]: JsonOutput } {
  if (expiration === undefined) return {};
  return expiration.type === 'never'
    ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(expiration.validTo) };
}

/** Members of a rotation; none where we made the material. */
export function importOutput(imported: ImportDescription | undefined): { readonly [member: string]: JsonOutput } {
  if (imported === undefined) return {};
  const { isHere, validTo, description } = imported;
  if (!isHere) return { KeyMaterialDescription: description, ImportState: 'PENDING_IMPORT' };
  const expiration: KeyExpiration = validTo === undefined ? { type: 'never' } : { type: 'at', validTo };
  return { KeyMaterialDescription: description, ImportState: 'IMPORTED', ...expirationOutput(expiration) };
}
