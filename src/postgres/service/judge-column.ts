/** A rule against the facts of the live catalog: what stands in its way, and the DDL that mends it. */
import type { ColumnErrorCode } from '../columns/errors.ts';
import type { LiveColumn } from './live-column.ts';
import { beneathForeignKeys, dropForeignKey, staysTied } from './judge-foreign-key.ts';
import { GUARD_DOMAIN_QUALIFIED, quoteIdentifier, quoteQualified } from './names.ts';
import type { ColumnProblem } from './problem.ts';
import { ruleName, type SealRule } from './rules.ts';
import { formatRuleType } from '../types/type-text.ts';

type Draft = Pick<ColumnProblem, 'untied'> & {
  readonly code: ColumnErrorCode;
  readonly message: string;
  readonly ddl?: readonly string[];
  readonly severity?: 'warning';
  readonly awaited?: true;
};

/** The parts of a rule's name as SQL text. */
type Place = { readonly table: string; readonly column: string };

export function judgeColumn(
  rule: SealRule,
  live: LiveColumn | undefined,
  rules: readonly SealRule[],
): readonly ColumnProblem[] {
  const place = { table: quoteQualified(rule.schema, rule.table), column: quoteIdentifier(rule.column) };
  const missing = judgePresence(rule, live, place);
  const drafts =
    missing !== undefined || live === undefined
      ? [missing]
      : [
          // What reads the column stands in the way of another type, so its DDL comes first.
          ...judgeServerSide(rule, live, place),
          ...judgeIndexes(rule, live),
          ...judgeForeignKeys(rule, live, rules),
          ...judgeTypeHolders(rule, live),
          judgeType(rule, live, rules, place),
          judgeUniqueness(rule, live),
          judgeExpressionIndexes(rule, live),
        ];
  return drafts.flatMap((draft) =>
    draft === undefined
      ? []
      : [{ severity: 'error', ddl: [], ...draft, column: ruleName(rule) } satisfies ColumnProblem],
  );
}

/** A partition or child of a table that has passed: what it has on the column beyond its parent. */
export function judgeColumnBelow(
  rule: SealRule,
  live: LiveColumn,
  rules: readonly SealRule[],
): readonly ColumnProblem[] {
  const place = { table: live.relationName, column: quoteIdentifier(rule.column) };
  const drafts = [
    ...judgeServerSide(rule, live, place),
    judgeUniqueness(rule, live),
    ...judgeForeignKeys(rule, live, rules),
  ];
  return drafts.flatMap((draft): ColumnProblem[] => {
    if (draft === undefined) return [];
    const message = `in ${live.relationName}, a partition or child of its table: ${draft.message}`;
    return [{ severity: 'error', ddl: [], ...draft, message, column: ruleName(rule) }];
  });
}

function judgePresence(rule: SealRule, live: LiveColumn | undefined, place: Place): Draft | undefined {
  const type = rule.format !== undefined ? formatRuleType(rule.type) : rule.guard ? GUARD_DOMAIN_QUALIFIED : 'bytea';
  if (live === undefined) {
    return {
      code: 'ERR_POSTGRES_COLUMN_MISSING',
      message: 'there is no such table; created through the proxy, it gets the right type',
      awaited: true,
      // In steps: other rules may be for columns of the same table.
      ddl: [
        `CREATE TABLE IF NOT EXISTS ${place.table} ();`,
        `ALTER TABLE ${place.table} ADD COLUMN ${place.column} ${type};`,
      ],
    };
  }
  if (live.kind !== 'r' && live.kind !== 'p') {
    return {
      code: 'ERR_POSTGRES_COLUMN_MISSING',
      message: 'this is a view, foreign table or other relation: name the table that holds the column',
    };
  }
  if (live.parent !== null) {
    return {
      code: 'ERR_POSTGRES_COLUMN_MISSING',
      message: `the table has the column as a partition or child of ${live.parent}: name the parent in the rule`,
    };
  }
  if (live.attnum !== null) return undefined;
  const ddl = [`ALTER TABLE ${place.table} ADD COLUMN ${place.column} ${type};`];
  const message = 'the table has no such column; added through the proxy, it gets the right type';
  return { code: 'ERR_POSTGRES_COLUMN_MISSING', message, ddl, awaited: true };
}

function judgeType(rule: SealRule, live: LiveColumn, rules: readonly SealRule[], place: Place): Draft | undefined {
  if (rule.format !== undefined) return judgeOwnType(rule, live, rules, place);
  if (hasType(rule, live)) return undefined;
  const target = rule.guard ? GUARD_DOMAIN_QUALIFIED : 'bytea';
  const source = live.isBytea === true ? place.column : `${place.column}::text::bytea`;
  const retype = `ALTER TABLE ${place.table} ALTER COLUMN ${place.column} TYPE ${target} USING ${source}::${target};`;
  const statements = [...(live.hasDefault === true ? [dropDefault(place)] : []), retype];
  const { lost, ...ddl } = beneathForeignKeys(rule, live, rules, statements);
  return {
    code: 'ERR_POSTGRES_COLUMN_GUARD',
    message: `its type is ${live.typeName ?? 'unknown'}, not ${target}; the DDL works while the column holds no values (one that holds plaintext is moved in by sealgate postgres seal)${lost}`,
    ...ddl,
  };
}

/** Not dropped by the DDL, which could not make them again with all that is granted and built on them. */
function judgeTypeHolders(rule: SealRule, live: LiveColumn): readonly Draft[] {
  const fits = rule.format === undefined ? hasType(rule, live) : live.typeName === formatRuleType(rule.type);
  if (fits) return [];
  return (live.typeHolders ?? []).map((holder) => ({
    code: 'ERR_POSTGRES_COLUMN_GUARD',
    message: `${holder} names it, and PostgreSQL changes no type under that: drop it before the DDL, and make it again after`,
  }));
}

/** A format-preserving column keeps the type that its rule says; equality is the server's own, over what is stored. */
function judgeOwnType(rule: SealRule, live: LiveColumn, rules: readonly SealRule[], place: Place): Draft | undefined {
  const code = 'ERR_POSTGRES_COLUMN_GUARD';
  const type = formatRuleType(rule.type);
  if (live.looseCollation !== null)
    return { code, message: `its collation ${live.looseCollation} holds different stored texts for equal` };
  if (live.typeName === type) return undefined;
  const retype = `ALTER TABLE ${place.table} ALTER COLUMN ${place.column} TYPE ${type};`;
  const { lost, ...ddl } = beneathForeignKeys(rule, live, rules, [retype]);
  return { code, message: `its type is ${live.typeName ?? 'unknown'}, but its rule says ${type}${lost}`, ...ddl };
}

function dropDefault({ table, column }: Place): string {
  return `ALTER TABLE ${table} ALTER COLUMN ${column} DROP DEFAULT;`;
}

/** What the server itself would compute from, or write into, the column. */
function judgeServerSide(rule: SealRule, live: LiveColumn, place: Place): readonly (Draft | undefined)[] {
  const code = 'ERR_POSTGRES_COLUMN_UNSEALABLE';
  const dropConstraint = (name: string): string =>
    `ALTER TABLE ${place.table} DROP CONSTRAINT ${quoteIdentifier(name)};`;
  const mended = live.isGuard === true ? [dropDefault(place)] : [];
  return [
    live.hasDefault === true
      ? {
          code,
          message: `it has a default, which the server would write as plaintext: ${
            rule.default === undefined
              ? 'declare it in the rule (`default`), where the proxy seals it'
              : `the proxy applies that of the rule, so drop it there (${dropDefault(place)})`
          }`,
          ddl: mended,
        }
      : undefined,
    live.isGenerated === true ? { code, message: 'it is generated by the server' } : undefined,
    live.isPartitionKey === true ? { code, message: 'it is part of the partition key' } : undefined,
    ...(live.checks ?? []).map(
      (name) =>
        ({
          code,
          message: `CHECK constraint ${name} reads it: ${
            rule.checks?.some((check) => check.name === name) === true
              ? `the proxy enforces that of the rule, so drop it there (${dropConstraint(name)})`
              : 'declare it in the rule (`check`), where the proxy enforces it'
          }`,
          ddl: [dropConstraint(name)],
        }) as const,
    ),
    ...(live.exclusions ?? []).map(
      (name) => ({ code, message: `exclusion constraint ${name} compares it`, ddl: [dropConstraint(name)] }) as const,
    ),
    ...(live.policies ?? []).map(
      (name) =>
        ({
          code,
          message: `policy ${name} reads it`,
          ddl: [`DROP POLICY ${quoteIdentifier(name)} ON ${place.table};`],
        }) as const,
    ),
    ...(live.generated ?? []).map((name) => ({ code, message: `column ${name} is computed from it` }) as const),
  ];
}

/** Django and others make such indexes for LIKE; they would stand in the way of the column's new type. */
function judgeIndexes(rule: SealRule, live: LiveColumn): readonly Draft[] {
  if (hasType(rule, live)) return [];
  return (live.unfitIndexes ?? []).map((name) => {
    const message = `index ${name} cannot be one of ciphertext`;
    return { code: 'ERR_POSTGRES_COLUMN_UNSEALABLE', message, ddl: [`DROP INDEX ${name};`] } as const;
  });
}

/** What keeps its form keeps its type, and whatever index the type may have. */
function hasType({ guard, format }: SealRule, live: LiveColumn): boolean {
  return format !== undefined || live.isGuard === true || (!guard && live.isBytea === true);
}

function judgeUniqueness(rule: SealRule, live: LiveColumn): Draft | undefined {
  const [first] = live.uniques ?? [];
  if (rule.mode === 'deterministic' || first === undefined) return undefined;
  const message = `unique index ${first} holds it, but equal values of a randomized column never look equal`;
  return { code: 'ERR_POSTGRES_COLUMN_CONSTRAINT', message };
}

function judgeForeignKeys(rule: SealRule, live: LiveColumn, rules: readonly SealRule[]): readonly Draft[] {
  return (live.foreignKeys ?? [])
    .filter((end) => !staysTied(rule, end, rules))
    .map((end) => {
      const message = `foreign key ${end.name} ties it to ${end.schema}.${end.table}.${end.column}, which is not in the same domain`;
      return { code: 'ERR_POSTGRES_COLUMN_CONSTRAINT', message, ddl: [dropForeignKey(end)] } as const;
    });
}

function judgeExpressionIndexes(rule: SealRule, live: LiveColumn): Draft | undefined {
  const dropped = hasType(rule, live) ? [] : (live.unfitIndexes ?? []);
  const first = live.expressionIndexes?.find((name) => !dropped.includes(name));
  if (first === undefined) return undefined;
  const message = `index ${first} computes with it, but sees only ciphertext`;
  return { code: 'ERR_POSTGRES_COLUMN_UNSEALABLE', message, severity: 'warning' };
}
