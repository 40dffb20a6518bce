/** Condition operators: how a policy's value is read and compared. One row each; the negated ones are rows of their own. */
import type { AccessRequest } from '../request.ts';
import { compileArnTemplate } from './arn-template.ts';
import { parseDate } from './date-value.ts';
import { parseIpRange } from './ip-range.ts';
import { compileTemplate, parseTokens, type Template } from './template.ts';

export type Operator = {
  /** Holds where no policy value fits, and where the key is absent. */
  readonly negated: boolean;
  /** undefined for a value the operator cannot be asked about. `variables`: whether this policy has policy variables. */
  readonly compile: (value: string, variables: boolean) => Template | undefined;
  readonly expects: string;
};

type Comparison = (request: number, policy: number) => boolean;

const text = (fold: boolean, wildcards: boolean): Omit<Operator, 'negated'> => ({
  compile: (value, variables) => compileTemplate(parseTokens(value, { wildcards, variables }), fold),
  expects: 'text',
});

const arn: Omit<Operator, 'negated'> = {
  compile: (value, variables) => compileArnTemplate(parseTokens(value, { wildcards: true, variables })),
  expects: 'an ARN of six parts, or `*`',
};

/** A test on the value alone: these operators know no policy variables. */
function plain(matches: (text: string) => boolean): Template {
  return { matches: (value: string, _request: AccessRequest) => matches(value), resolves: () => true, variables: [] };
}

function ordered(
  read: (value: string) => number | undefined,
  expects: string,
  compare: Comparison,
): Omit<Operator, 'negated'> {
  return {
    compile: (value) => {
      const limit = read(value);
      if (limit === undefined) return undefined;
      return plain((candidate) => {
        const asked = read(candidate);
        return asked !== undefined && compare(asked, limit);
      });
    },
    expects,
  };
}

const NUMBER = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?$/;
const readNumber = (value: string): number | undefined => (NUMBER.test(value) ? Number(value) : undefined);
const numeric = (compare: Comparison): Omit<Operator, 'negated'> => ordered(readNumber, 'a number', compare);
const date = (compare: Comparison): Omit<Operator, 'negated'> =>
  ordered(parseDate, 'a date such as 2027-01-31T12:00:00Z', compare);

const equal: Comparison = (a, b) => a === b;
const less: Comparison = (a, b) => a < b;
const lessOrEqual: Comparison = (a, b) => a <= b;
const greater: Comparison = (a, b) => a > b;
const greaterOrEqual: Comparison = (a, b) => a >= b;

const bool: Omit<Operator, 'negated'> = {
  compile: (value) => {
    const wanted = value.toLowerCase();
    return wanted === 'true' || wanted === 'false' ? plain((asked) => asked.toLowerCase() === wanted) : undefined;
  },
  expects: '`true` or `false`',
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const binary: Omit<Operator, 'negated'> = {
  compile: (value) => (BASE64.test(value) ? plain((asked) => asked === value) : undefined),
  expects: 'base64',
};

const ip: Omit<Operator, 'negated'> = {
  compile: (value) => {
    const range = parseIpRange(value);
    return range === undefined ? undefined : plain(range.contains);
  },
  expects: 'an address or a range such as 192.0.2.0/24',
};

const is = (row: Omit<Operator, 'negated'>): Operator => ({ ...row, negated: false });
const isNot = (row: Omit<Operator, 'negated'>): Operator => ({ ...row, negated: true });

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', is(text(false, false))],
  ['StringNotEquals', isNot(text(false, false))],
  ['StringEqualsIgnoreCase', is(text(true, false))],
  ['StringNotEqualsIgnoreCase', isNot(text(true, false))],
  ['StringLike', is(text(false, true))],
  ['StringNotLike', isNot(text(false, true))],
  ['ArnEquals', is(arn)],
  ['ArnNotEquals', isNot(arn)],
  ['ArnLike', is(arn)],
  ['ArnNotLike', isNot(arn)],
  ['NumericEquals', is(numeric(equal))],
  ['NumericNotEquals', isNot(numeric(equal))],
  ['NumericLessThan', is(numeric(less))],
  ['NumericLessThanEquals', is(numeric(lessOrEqual))],
  ['NumericGreaterThan', is(numeric(greater))],
  ['NumericGreaterThanEquals', is(numeric(greaterOrEqual))],
  ['DateEquals', is(date(equal))],
  ['DateNotEquals', isNot(date(equal))],
  ['DateLessThan', is(date(less))],
  ['DateLessThanEquals', is(date(lessOrEqual))],
  ['DateGreaterThan', is(date(greater))],
  ['DateGreaterThanEquals', is(date(greaterOrEqual))],
  ['Bool', is(bool)],
  ['BinaryEquals', is(binary)],
  ['IpAddress', is(ip)],
  ['NotIpAddress', isNot(ip)],
]);

export function findOperator(name: string): Operator | undefined {
  return OPERATORS.get(name);
}
