/**
 * Names of what Sealgate keeps inside a protected database: schema, tables, guard domain. Shared by the analysis (which refuses
 * client statements that name them), the column service and `sealgate check`.
 */

/** The schema that holds wrapped DEKs, column identities and the guard. The service role owns it. */
export const SEALGATE_SCHEMA = 'sealgate';

/** The guard: a domain over bytea with a CHECK on magic and least length; every sealed column has this type. */
export const GUARD_DOMAIN = 'sealed';
export const GUARD_DOMAIN_QUALIFIED = `${SEALGATE_SCHEMA}.${GUARD_DOMAIN}`;
export const GUARD_CONSTRAINT = 'sealed_by_sealgate';

/** One row: version of this schema, and the database's stable random id. */
export const META_TABLE = `${SEALGATE_SCHEMA}.meta`;
/** Identity of each sealed column, bound to its name, attnum and relation. */
export const COLUMNS_TABLE = `${SEALGATE_SCHEMA}.columns`;
/** Equality domains that deterministic columns share. */
export const DOMAINS_TABLE = `${SEALGATE_SCHEMA}.domains`;
/** Wrapped DEKs, by random id. */
export const DEKS_TABLE = `${SEALGATE_SCHEMA}.deks`;

/** An identifier as SQL text, always quoted. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL constant. Precondition: standard_conforming_strings is on, as wherever statements are rewritten and on service connections. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A qualified name as SQL text. */
export function quoteQualified(...parts: readonly string[]): string {
  return parts.map(quoteIdentifier).join('.');
}
