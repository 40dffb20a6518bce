/** A statement that is run on sealed columns through the proxy and on plain ones beside it, and what is to come of it. */
import type { Parameter } from '../support/postgres/wire-asker.ts';

export type Case = {
  /** Run before it, in the same transaction, on both sides; must come out alike. */
  readonly before: readonly string[];
  readonly sql: string;
  readonly values: readonly Parameter[];
  /** Not in a transaction that is rolled back: it is about transactions, settings or names that outlive one. */
  readonly alone: boolean;
  readonly expected: 'exact' | 'refused';
};

/** As the tables of cases write them. */
export type Statement =
  | string
  | readonly [sql: string, ...values: Parameter[]]
  | {
      readonly before: readonly string[];
      readonly sql: string;
      readonly values?: readonly Parameter[];
      readonly alone?: true;
    };

export type Shape = {
  /** As the page names it. */
  readonly shape: string;
  readonly exact: readonly Statement[];
  readonly refused: readonly Statement[];
};

export function casesOf({ exact, refused }: Shape): readonly Case[] {
  return [...exact.map((one) => caseOf(one, 'exact')), ...refused.map((one) => caseOf(one, 'refused'))];
}

function caseOf(statement: Statement, expected: Case['expected']): Case {
  if (typeof statement === 'string') return { before: [], sql: statement, values: [], alone: false, expected };
  if ('sql' in statement) {
    const { before, sql, values = [], alone = false } = statement;
    return { before, sql, values, alone, expected };
  }
  const [sql, ...values] = statement;
  return { before: [], sql, values, alone: false, expected };
}
