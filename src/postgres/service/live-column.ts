/** What the live catalog says about a ruled column: one row of facts, which `check` judges. */
import type { Questions } from './connection.ts';
import { GUARD_DOMAIN, SEALGATE_SCHEMA } from './names.ts';
import { repeated, type Repeated } from './repeated.ts';

type Place = { readonly schema: string; readonly table: string; readonly column: string };

export type LiveColumn = {
  readonly relation: number;
  /** As the server writes it: with its schema where that is not searched. */
  readonly relationName: string;
  /** pg_class.relkind: r table, p partitioned table. */
  readonly kind: string;
  /** The table this one has the column from, as its partition or child. */
  readonly parent: string | null;
  /** Null: no such column. */
  readonly attnum: number | null;
  readonly typeName: string | null;
  readonly isGuard: boolean | null;
  readonly isBytea: boolean | null;
  /** The column's collation, where it holds different texts for equal. */
  readonly looseCollation: string | null;
  readonly hasDefault: boolean | null;
  readonly isGenerated: boolean | null;
  /** Names of what reads the column inside the server. */
  readonly checks: readonly string[] | null;
  readonly exclusions: readonly string[] | null;
  readonly policies: readonly string[] | null;
  readonly generated: readonly string[] | null;
  readonly isPartitionKey: boolean | null;
  /** Unique and primary key constraints and unique indexes. */
  readonly uniques: readonly string[] | null;
  /** Indexes on expressions or with predicates over the column. */
  readonly expressionIndexes: readonly string[] | null;
  /** Indexes that the column's type at rest cannot have: with an operator class of another type, or on an expression over the column. */
  readonly unfitIndexes: readonly string[] | null;
  readonly foreignKeys: readonly ForeignKeyEnd[] | null;
  /** Views, rules, triggers, SQL routines and publications under which the server changes no type. */
  readonly typeHolders: readonly string[] | null;
};

/** The column at the other end of a foreign key. */
export type ForeignKeyEnd = Place & {
  readonly name: string;
  /** The table that has the constraint, as SQL. */
  readonly owner: string;
  /** What `ALTER TABLE owner ADD CONSTRAINT name` takes. */
  readonly definition: string;
  /** All columns that it ties: the referring one, and the one it refers to. */
  readonly pairs: readonly (readonly [referring: Place, referenced: Place])[];
};

const FACTS = `
SELECT c.oid::bigint::int8 AS relation, c.oid::regclass::text AS "relationName", c.relkind::text AS kind,
  (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid AND coalesce(a.attinhcount > 0, true) LIMIT 1) AS parent,
  a.attnum, format_type(a.atttypid, a.atttypmod) AS "typeName",
  a.atttypid = (SELECT t.oid FROM pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace
    WHERE t.typname = '${GUARD_DOMAIN}' AND tn.nspname = '${SEALGATE_SCHEMA}' AND t.typtype = 'd') AS "isGuard",
  a.atttypid = 'bytea'::regtype AS "isBytea",
  (SELECT co.collname::text FROM pg_collation co WHERE co.oid = a.attcollation AND NOT co.collisdeterministic) AS "looseCollation",
  a.atthasdef AND a.attgenerated = '' AS "hasDefault",
  a.attgenerated <> '' OR a.attidentity <> '' AS "isGenerated",
  ARRAY(SELECT conname::text FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'
    AND (a.attnum = ANY (k.conkey) OR 0 = ANY (k.conkey)) ORDER BY 1) AS checks,
  ARRAY(SELECT conname::text FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'x'
    AND a.attnum = ANY (k.conkey) ORDER BY 1) AS exclusions,
  ARRAY(SELECT DISTINCT p.polname::text FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum ORDER BY 1) AS policies,
  ARRAY(SELECT DISTINCT g.attname::text FROM pg_attrdef f JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
      AND ((d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid)
        OR (d.classid = 'pg_class'::regclass AND d.objid = f.adrelid AND d.objsubid = f.adnum))
    WHERE f.adrelid = c.oid AND f.adnum <> a.attnum ORDER BY 1) AS generated,
  EXISTS (SELECT 1 FROM pg_partitioned_table p WHERE p.partrelid = c.oid AND a.attnum = ANY (p.partattrs))
    OR EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = a.attnum
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = 0 AND d.deptype = 'i') AS "isPartitionKey",
  ARRAY(SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
    AND a.attnum = ANY (i.indkey) ORDER BY 1) AS uniques,
  ARRAY(SELECT DISTINCT i.indexrelid::regclass::text FROM pg_index i
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
    WHERE i.indrelid = c.oid AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
      AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND NOT a.attnum = ANY (i.indkey) ORDER BY 1) AS "expressionIndexes",
  ARRAY(SELECT i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = c.oid
    AND (i.indexprs::text LIKE '%:varattno ' || a.attnum || ' %'
      OR EXISTS (SELECT 1 FROM unnest(i.indkey::int2[], i.indclass::oid[]) AS k(attnum, opclass) JOIN pg_opclass o ON o.oid = k.opclass
        WHERE k.attnum = a.attnum AND o.opcintype <> 'bytea'::regtype AND NOT (o.opcdefault AND EXISTS (
          SELECT 1 FROM pg_opclass b WHERE b.opcmethod = o.opcmethod AND b.opcdefault AND b.opcintype = 'bytea'::regtype))))
    ORDER BY 1) AS "unfitIndexes",
  (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'schema', on1.nspname, 'table', oc.relname, 'column', oa.attname,
      'owner', (SELECT format('%I.%I', kn.nspname, kc.relname) FROM pg_class kc JOIN pg_namespace kn ON kn.oid = kc.relnamespace WHERE kc.oid = k.conrelid),
      'definition', pg_get_constraintdef(k.oid),
      'pairs', (SELECT json_agg(json_build_array(
          json_build_object('schema', fn.nspname, 'table', fc.relname, 'column', fa.attname),
          json_build_object('schema', tn.nspname, 'table', tc.relname, 'column', ta.attname)))
        FROM unnest(k.conkey, k.confkey) AS b(referring, referenced)
        JOIN pg_class fc ON fc.oid = k.conrelid JOIN pg_namespace fn ON fn.oid = fc.relnamespace
        JOIN pg_attribute fa ON fa.attrelid = k.conrelid AND fa.attnum = b.referring
        JOIN pg_class tc ON tc.oid = k.confrelid JOIN pg_namespace tn ON tn.oid = tc.relnamespace
        JOIN pg_attribute ta ON ta.attrelid = k.confrelid AND ta.attnum = b.referenced))), '[]')
    FROM pg_constraint k, unnest(k.conkey, k.confkey) AS p(mine, theirs), pg_class oc, pg_namespace on1, pg_attribute oa
    WHERE k.contype = 'f' AND k.conparentid = 0
      AND ((k.conrelid = c.oid AND p.mine = a.attnum AND oc.oid = k.confrelid AND oa.attnum = p.theirs)
        OR (k.confrelid = c.oid AND p.theirs = a.attnum AND oc.oid = k.conrelid AND oa.attnum = p.mine))
      AND on1.oid = oc.relnamespace AND oa.attrelid = oc.oid) AS "foreignKeys",
  ARRAY(SELECT DISTINCT regexp_replace(pg_describe_object(d.classid, d.objid, 0), '^rule "?_RETURN"? on ', '') FROM pg_depend d
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.classid IN
      ('pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass) ORDER BY 1) AS "typeHolders"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped
`;

const OF_TABLE = repeated(`${FACTS}WHERE n.nspname = $1 AND c.relname = $2`);
const BELOW_TABLE = repeated(`${FACTS}WHERE c.oid IN (
  WITH RECURSIVE below(oid) AS (
    SELECT i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
      WHERE pn.nspname = $1 AND p.relname = $2
    UNION SELECT i.inhrelid FROM pg_inherits i JOIN below ON below.oid = i.inhparent)
  SELECT oid FROM below) ORDER BY c.oid`);

const GUARDED = `
SELECT n.nspname::text AS schema, c.relname::text AS table, a.attname::text AS column
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
WHERE t.typname = '${GUARD_DOMAIN}' AND tn.nspname = '${SEALGATE_SCHEMA}' AND c.relkind IN ('r', 'p')
  AND a.attinhcount = 0 AND NOT a.attisdropped ORDER BY 1, 2, a.attnum`;

/** Every column of a table that has the guard's type, in order; inherited ones are their parents'. */
export async function readGuardedColumns(
  session: Questions,
): Promise<readonly { readonly schema: string; readonly table: string; readonly column: string }[]> {
  return session.query<{ schema: string; table: string; column: string }>(GUARDED);
}

type Row = Omit<LiveColumn, 'relation'> & { readonly relation: string };

/** Undefined: no such relation. */
export async function readLiveColumn(session: Questions, place: Place): Promise<LiveColumn | undefined> {
  return (await read(session, OF_TABLE, place))[0];
}

/** The same column of every partition and child of the table, and of theirs. */
export async function readColumnsBelow(session: Questions, place: Place): Promise<readonly LiveColumn[]> {
  return read(session, BELOW_TABLE, place);
}

async function read(
  session: Questions,
  which: Repeated,
  { schema, table, column }: Place,
): Promise<readonly LiveColumn[]> {
  const rows = await session.query<Row>(which, [schema, table, column]);
  return rows.map((row) => ({ ...row, relation: Number(row.relation) }));
}
