/**
 * What the proxy would do with a statement, by the very analysis it plans with, against the live catalog; nothing is run.
 *
 * Invariant: what is shown of a statement that goes upstream shows its sealed constants as places, never as values.
 */
import { storedType } from '../columns/stored-type.ts';
import type { StatementAnalyzer } from '../analysis/analyzer.ts';
import { unreachable } from '../../errors.ts';
import type { Refusal, SealedColumn, SealedLiteral, SealedPlan, StatementPlan, TrackPlan } from '../plan.ts';
import { ruleName } from '../service/rules.ts';
import type { SessionSettings } from '../session/settings.ts';
import { soughtColumns } from './sought.ts';

export type Explanation = {
  readonly sql: string;
  /** How often it was run, where that is known. */
  readonly calls?: number;
  readonly verdict: Verdict;
};

export type Verdict =
  /** `changes`: what later statements mean may be another thing after it. */
  | { readonly type: 'passes'; readonly changes?: TrackPlan['effect'] }
  | {
      readonly type: 'rewritten';
      readonly to: string;
      /** By number: what a value is sealed for. */
      readonly parameters: readonly { readonly number: number; readonly column: string; readonly array: boolean }[];
      /** Result columns that are opened, by position from 1. */
      readonly opened: readonly { readonly position: number; readonly column: string }[];
      /** Equality looks for values of these, and no index begins with them. */
      readonly needsIndex: readonly NeededIndex[];
    }
  | { readonly type: 'refused'; readonly refusal: Refusal };

export type NeededIndex = { readonly column: string; readonly ddl: string };

/** Whether an index begins with the column. */
export type HasIndex = (column: SealedColumn) => boolean;

export type ExplainOptions = {
  readonly analyzer: StatementAnalyzer;
  readonly settings: SessionSettings;
  readonly hasIndex: HasIndex;
};

/** One statement. Its literals are in `sql` as they were given. */
export async function explainStatement(sql: string, options: ExplainOptions): Promise<Verdict> {
  const { analyzer, settings } = options;
  // As the session does: what names nothing hot is not even parsed.
  if (!analyzer.mayConcern(sql)) return { type: 'passes' };
  const plans = await analyzer.plan(sql, [], settings);
  const [plan] = plans;
  return plan === undefined ? { type: 'passes' } : verdictOf(plan, sql, options);
}

function verdictOf(plan: StatementPlan, sql: string, { hasIndex }: ExplainOptions): Verdict {
  switch (plan.type) {
    case 'pass':
      return { type: 'passes' };
    case 'track':
      return { type: 'passes', changes: plan.effect };
    case 'refuse':
      return { type: 'refused', refusal: plan.refusal };
    case 'sealed':
      return rewritten(plan, sql, hasIndex);
    default:
      return unreachable(plan);
  }
}

function rewritten(plan: SealedPlan, sql: string, hasIndex: HasIndex): Verdict {
  const missing = soughtColumns(plan, sql).filter((column) => !hasIndex(column));
  return {
    type: 'rewritten',
    to: plan.pieces.map((piece) => (typeof piece === 'string' ? piece : placeholder(piece))).join(''),
    parameters: [...plan.parameters].map(([number, { column, shape }]) => ({
      number,
      column: ruleName(column),
      array: shape === 'array',
    })),
    opened: (plan.results ?? []).flatMap((column, index) =>
      columnsIn(column).map((inside) => ({ position: index + 1, column: ruleName(inside) })),
    ),
    needsIndex: missing.map(neededIndex),
  };
}

/** Of a result column: the one that it is, or those whose values are inside. */
function columnsIn(column: SealedColumn | undefined): readonly SealedColumn[] {
  if (column === undefined) return [];
  return column.carries?.columns ?? [column];
}

function placeholder({ column, value, shape }: SealedLiteral): string {
  if (value === null) return 'NULL';
  const { name } = storedType(column);
  return `'<sealed for ${ruleName(column)}>'::pg_catalog.${name}${shape === 'array' ? '[]' : ''}`;
}

function neededIndex(column: SealedColumn): NeededIndex {
  const { schema, table, column: name } = column;
  const parts = [schema, table, name].map((part) => ruleNamePart(part));
  return { column: ruleName(column), ddl: `CREATE INDEX CONCURRENTLY ON ${parts[0]}.${parts[1]} (${parts[2]});` };
}

function ruleNamePart(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
