/** A rule's type against the database: the server's own types by their names, enums and domains as the catalog has them. */
import type { ColumnCheck, LogicalType } from '../plan.ts';
import type { Questions } from '../service/connection.ts';
import { repeated } from '../service/repeated.ts';
import type { SealRule } from '../service/rules.ts';
import { arrayOf, comparisonClass, enumType, logicalTypeByOid, storageClass } from '../types/registry.ts';
import { formatLogicalType, parseLogicalType, parseUserType } from '../types/type-text.ts';
import { passesOf } from './declared.ts';
import { ColumnError } from './errors.ts';

export type ColumnType = {
  readonly type: LogicalType;
  /** Those of the domain that the type is, and of the domains under it. */
  readonly checks: readonly ColumnCheck[];
};

type TypeRow = {
  readonly oid: string;
  readonly array: string;
  readonly kind: string;
  readonly base: string;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly schema: string;
  readonly name: string;
  readonly hasDefault: boolean;
  readonly labels: readonly string[];
  readonly checks: readonly { readonly name: string; readonly expression: string }[];
  readonly deterministic: boolean;
};

const TYPE_SQL = `
SELECT t.oid::int8 AS oid, t.typarray::int8 AS array, t.typtype::text AS kind, t.typbasetype::int8 AS base, t.typtypmod AS typmod,
  t.typnotnull AS "notNull", n.nspname::text AS schema, t.typname::text AS name, t.typdefault IS NOT NULL AS "hasDefault",
  ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels,
  (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'expression', pg_get_expr(k.conbin, 0)) ORDER BY k.conname), '[]')
    FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') AS checks,
  coalesce((SELECT l.collisdeterministic FROM pg_collation l WHERE l.oid = t.typcollation), true) AS deterministic
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE `;
const TYPE_BY_NAME = repeated(`${TYPE_SQL} n.nspname = $1 AND t.typname = $2`);
const TYPE_BY_OID = repeated(`${TYPE_SQL} t.oid = $1`);

/** Errors: ERR_POSTGRES_COLUMN_TYPE, ERR_POSTGRES_COLUMN_CHECK. */
export async function columnType(session: Questions, rule: SealRule): Promise<ColumnType> {
  const resolved = await resolvedType(session, rule);
  if (rule.mode === 'deterministic') requireEquality(rule, resolved.type);
  return resolved;
}

async function resolvedType(session: Questions, rule: SealRule): Promise<ColumnType> {
  const user = parseUserType(rule.type);
  if (user === undefined) return { type: parseLogicalType(rule.type), checks: [] };
  const [row] = await session.query<TypeRow>(TYPE_BY_NAME, [user.schema, user.name]);
  if (row === undefined) throw wrong(`there is no type ${rule.type} in the database`);
  if (!user.isArray) return typeOf(session, row, rule);
  if (row.kind !== 'e')
    throw wrong(`arrays of ${rule.type} are not sealed: of the database’s own types only those of enums are`);
  return { type: arrayOf((await typeOf(session, row, rule)).type), checks: [] };
}

function wrong(message: string): ColumnError {
  return new ColumnError('ERR_POSTGRES_COLUMN_TYPE', message);
}

async function typeOf(session: Questions, row: TypeRow, rule: SealRule): Promise<ColumnType> {
  const { schema, name, labels } = row;
  if (row.kind === 'e')
    return { type: enumType(Number(row.oid), Number(row.array), { schema, name, labels }), checks: [] };
  if (row.kind === 'd') return domainType(session, row, rule);
  const type = logicalTypeByOid(Number(row.oid));
  if (type === undefined || schema !== 'pg_catalog') throw wrong(`values of type ${schema}.${name} are not sealed`);
  return { type, checks: [] };
}

async function domainType(session: Questions, row: TypeRow, rule: SealRule): Promise<ColumnType> {
  const { schema, name } = row;
  const place = `domain ${schema}.${name}`;
  if (row.notNull)
    throw wrong(`${place} is NOT NULL, which only the server could refuse: make the column NOT NULL instead`);
  if (row.hasDefault && rule.default === undefined)
    throw wrong(`${place} has a default: declare it in the rule (\`default\`), where the proxy seals it`);
  if (!row.deterministic) throw wrong(`${place} has a collation in which texts of other bytes are equal`);
  const [base] = await session.query<TypeRow>(TYPE_BY_OID, [row.base]);
  if (base === undefined) throw wrong(`the type under ${place} is gone`);
  const builtin = logicalTypeByOid(Number(base.oid), row.typmod);
  const under = builtin === undefined ? await typeOf(session, base, rule) : { type: builtin, checks: [] };
  const shown = schema === 'public' ? name : `${schema}.${name}`;
  const checks = row.checks.map(({ name: constraint, expression }): ColumnCheck => ({
    constraint: { name: constraint, schema, dataType: name },
    passes: passesOf(constraint, expression, rule.column, under.type),
  }));
  // Those of the domains below are the server's first, and called this one's.
  return {
    type: { ...under.type, domain: { schema, name, oid: Number(row.oid) } },
    checks: [...under.checks, ...checks].map((check) => ({
      ...check,
      constraint: { ...check.constraint, schema, dataType: name },
      domain: shown,
    })),
  };
}

function requireEquality(rule: SealRule, type: LogicalType): void {
  if (comparisonClass(type) === undefined)
    throw wrong(`${formatLogicalType(type)} cannot be deterministic: equal values can be written in several ways`);
  if ((type.name !== 'enum' && type.name !== 'bool') || rule.force === true) return;
  throw wrong(
    `a deterministic ${formatLogicalType(type)} shows its few values by how often they occur: use mode randomized, or say force: true`,
  );
}

/** What of a type decides how stored values are read, from its text alone: enums and domains are themselves. */
export function storageClassOf(type: string): string {
  return parseUserType(type) === undefined ? storageClass(parseLogicalType(type)) : type;
}

/** The class a seal domain's columns compare in. */
export function comparisonClassOf({ type }: Pick<SealRule, 'type'>): string {
  return parseUserType(type) === undefined ? (comparisonClass(parseLogicalType(type)) ?? type) : `type ${type}`;
}
