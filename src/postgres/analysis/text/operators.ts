/** Which operators a node of a statement uses, by name: those that it names, and those that the grammar has for what it says otherwise. */
import type { Node } from './syntax.ts';

const named = (name: string): readonly Node[] => [{ String: { sval: name } }];
const EQUALS = named('=');
/** What sorts and groups does it by the operators of a class. */
const SORTING = ['=', '<'].map(named);
const BETWEEN = ['<', '<=', '>', '>='].map(named);

/** Those that a statement may use without their being in its text. */
export const IMPLIED_OPERATORS: ReadonlySet<string> = new Set([
  ...['=', '<>', '<', '<=', '>', '>='],
  ...['~~', '!~~', '~~*', '!~~*', '~', '!~'],
]);

/** What uses an operator in a text without its sign: `!=` is read as `<>`. */
const SPELLED: readonly (readonly [operators: readonly string[], spelled: RegExp])[] = [
  [
    ['='],
    /\b(?:all|any|case|cycle|distinct|except|group|in|intersect|natural|nullif|order|partition|some|union|using)\b/,
  ],
  [['<'], /\b(?:between|cycle|distinct|except|group|intersect|order|partition|union)\b/],
  [['<=', '>=', '>'], /\bbetween\b/],
  [['<>'], /!=|\bnot\b/],
  [['~~', '!~~'], /\blike\b/],
  [['~~*', '!~~*'], /\bilike\b/],
  [['~', '!~'], /\bsimilar\b/],
];

/** Of a text in small letters. */
export const spelledOtherwise = (operator: string): RegExp | undefined =>
  SPELLED.find(([operators]) => operators.includes(operator))?.[1];

/** Fields that say so where they hold anything. */
const SORTS = ['sortClause', 'groupClause', 'distinctClause', 'partitionClause', 'orderClause', 'agg_order'] as const;
const COMPARES = ['usingClause', 'cycle_clause'] as const;

/** `part`: a node, bare or in its kind. */
export function operatorsOf(part: object): readonly (readonly Node[])[] {
  const has = (field: string): boolean => field in part && isSomething(part[field as never]); // it is there
  const operators: (readonly Node[])[] = [];
  // An A_Expr, a SubLink and a SortBy: no others of the grammar have these fields.
  if ('kind' in part && 'name' in part && Array.isArray(part.name))
    operators.push(...(String(part.kind).includes('BETWEEN') ? BETWEEN : [part.name as readonly Node[]])); // a list of String
  if ('subLinkType' in part && 'testexpr' in part)
    operators.push('operName' in part ? (part.operName as readonly Node[]) : EQUALS); // as above
  if ('sortby_dir' in part && 'useOp' in part) operators.push(part.useOp as readonly Node[]); // as above
  if ('CaseExpr' in part && isSomething((part.CaseExpr as { readonly arg?: unknown }).arg)) operators.push(EQUALS); // its kind says so
  if (COMPARES.some(has) || 'isNatural' in part) operators.push(EQUALS);
  if (SORTS.some(has) || 'agg_distinct' in part || isSetOperation(part)) operators.push(...SORTING);
  return operators;
}

const isSetOperation = (part: object): boolean =>
  'op' in part && String(part.op).startsWith('SETOP_') && part.op !== 'SETOP_NONE';

const isSomething = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : value !== undefined);
