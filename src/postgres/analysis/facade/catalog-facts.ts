/** What has to be known of the server's own catalog: read with the snapshot, the same for all of an epoch. */
import { z } from 'zod';

/** Names of information_schema's views that tell types, defaults or CHECKs of columns, with their definitions. */
export const CatalogFacts = z.object({
  /** As `server_version_num` says it. */
  serverVersion: z.number(),
  /** Of the database. */
  serverEncoding: z.string(),
  /** pg_type.oid of the guard's domain; null: it is not there. */
  guardOid: z.number().nullable(),
  /** Columns of pg_attribute, in order: they differ from release to release. */
  attributeColumns: z.array(z.string()),
  /** Of pg_constraint. */
  constraintColumns: z.array(z.string()),
  informationViews: z.array(z.tuple([z.string(), z.string()])),
});

export type CatalogFacts = z.infer<typeof CatalogFacts>;

export const NO_FACTS: CatalogFacts = {
  serverVersion: 180_000,
  serverEncoding: 'UTF8',
  guardOid: null,
  attributeColumns: [],
  constraintColumns: [],
  informationViews: [],
};

/** As a value in the snapshot's json_build_object. `guard`: the domain's qualified name. */
export function catalogFactsSql(guard: string): string {
  return `json_build_object(
    'serverVersion', current_setting('server_version_num')::int,
    'serverEncoding', getdatabaseencoding(),
    'guardOid', to_regtype('${guard}')::oid::int8,
    'attributeColumns', ${columnsSql('pg_attribute')},
    'constraintColumns', ${columnsSql('pg_constraint')},
    'informationViews', (SELECT coalesce(json_agg(json_build_array(v.relname, v.definition)), '[]') FROM (
      SELECT c.relname, pg_get_viewdef(c.oid) AS definition FROM pg_class c
      WHERE c.relnamespace = 'information_schema'::regnamespace AND c.relkind = 'v'
        AND c.relname IN ('columns', 'check_constraints', 'column_domain_usage', 'column_udt_usage', 'element_types')) v))`;
}

function columnsSql(table: string): string {
  return `(SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
      WHERE a.attrelid = '${table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped)`;
}
