/** Foreign keys of a ruled column: which may stay, and how its type is changed beneath those. */
import type { ForeignKeyEnd, LiveColumn } from './live-column.ts';
import { quoteIdentifier } from './names.ts';
import type { ColumnProblem } from './problem.ts';
import { ruleName, type SealRule } from './rules.ts';

/** Between columns whose equal values look equal. */
export function staysTied(rule: SealRule, end: ColumnPlace, rules: readonly SealRule[]): boolean {
  const other = rules.find((each) => names(each, end));
  const itself = other === rule && rule.mode === 'deterministic';
  return itself || (other?.domain !== undefined && other.domain === rule.domain);
}

type ColumnPlace = Pick<SealRule, 'schema' | 'table' | 'column'>;

const names = (rule: SealRule, { schema, table, column }: ColumnPlace): boolean =>
  rule.schema === schema && rule.table === table && rule.column === column;

/** `IF EXISTS`: each column that it ties names it, and their DDL may be run column by column. */
export function dropForeignKey({ owner, name }: ForeignKeyEnd): string {
  return `ALTER TABLE ${owner} DROP CONSTRAINT IF EXISTS ${quoteIdentifier(name)};`;
}

const addForeignKey = ({ owner, name, definition }: ForeignKeyEnd): string =>
  `ALTER TABLE ${owner} ADD CONSTRAINT ${quoteIdentifier(name)} ${definition};`;

export type Retyping = Pick<ColumnProblem, 'ddl' | 'untied'> & {
  /** What to say of the foreign keys that cannot come back. */
  readonly lost: string;
};

/**
 * The server changes no column's type under a foreign key whose other end has another: `ddl` is run without, and `tieAgain` puts back what
 * then holds. That is decided of a key as a whole: another two of its columns may be tied no longer.
 */
export function beneathForeignKeys(
  rule: SealRule,
  live: LiveColumn,
  rules: readonly SealRule[],
  ddl: readonly string[],
): Retyping {
  const ends = (live.foreignKeys ?? []).filter((end) => staysTied(rule, end, rules));
  const lost = ends.flatMap(({ name, pairs }) => {
    const loose = pairs.find((pair) => !pairStaysTied(pair, rules));
    return loose === undefined
      ? []
      : [`; foreign key ${name} is not kept: it also ties ${loose.map(ruleName).join(' to ')}, not in the same domain`];
  });
  const untied = ends.filter(({ pairs }) => pairs.every((pair) => pairStaysTied(pair, rules)));
  return { ddl: [...ends.map(dropForeignKey), ...ddl], untied, lost: [...new Set(lost)].join('') };
}

function pairStaysTied([one, other]: ForeignKeyEnd['pairs'][number], rules: readonly SealRule[]): boolean {
  const rule = rules.find((each) => names(each, one));
  if (rule !== undefined) return staysTied(rule, other, rules);
  return !rules.some((each) => names(each, other));
}

/** The problems of all rules, in their order: each foreign key comes back once, with the last DDL that is run without it. */
export function tieAgain(problems: readonly ColumnProblem[]): readonly ColumnProblem[] {
  const last = new Map<string, ColumnProblem>();
  for (const problem of problems) for (const key of problem.untied ?? []) last.set(addForeignKey(key), problem);
  return problems.map((problem) => {
    const back = [...last].filter(([, at]) => at === problem).map(([add]) => add);
    return back.length === 0 ? problem : { ...problem, ddl: [...problem.ddl, ...back] };
  });
}
