/**
 * Where the shadow of the hot relations lives: one schema for each of theirs, the same names, the same columns with their logical
 * types, and never a row.
 */
export const SHADOW_PREFIX = 'sealgate_shadow_';

/**
 * By OID: a schema's name may be as long as a name can be. `apart`: shadows of another set of rules than the proxies', which must not
 * replace theirs.
 */
export function shadowSchema(schemaOid: number, apart = ''): string {
  return `${SHADOW_PREFIX}${apart}${schemaOid}`;
}
