/**
 * One condition of a statement: an operator, a key, and the values of which one must fit. All conditions of a statement must
 * hold. A key that is absent fails, except under a negated operator, `…IfExists` or `ForAllValues:`.
 */
import type { AccessRequest } from '../request.ts';
import { AMBIGUOUS, conditionKey, isOverlyPermissiveForAll, type ConditionKey } from './condition-key.ts';
import { malformed, shown } from './malformed.ts';
import { findOperator, type Operator } from './operators.ts';
import type { Template } from './template.ts';

export type Effect = 'Allow' | 'Deny';

export type Condition = {
  /** `StringEquals kms:ViaService`, for explanations. */
  readonly text: string;
  readonly key: ConditionKey;
  /** Every key whose value the outcome hangs on. */
  readonly keys: readonly ConditionKey[];
  readonly holds: (request: AccessRequest, effect: Effect) => boolean;
};

type SetOperator = 'one' | 'any' | 'all';
type Parts = { readonly base: string; readonly set: SetOperator; readonly ifExists: boolean };

const SETS: readonly (readonly [string, SetOperator])[] = [
  ['ForAnyValue:', 'any'],
  ['ForAllValues:', 'all'],
];
const IF_EXISTS = 'IfExists';

/** Precondition: `values` is not empty. Errors: ERR_KEYS_POLICY_MALFORMED. */
export function compileCondition(
  operatorName: string,
  keyName: string,
  values: readonly string[],
  variables: boolean,
  where: string,
): Condition {
  const parts = splitOperator(operatorName);
  const key = conditionKey(keyName);
  const text = `${operatorName} ${keyName}`;
  if (!/^[\w-]+:[^\s]/.test(keyName)) throw malformed(`${where}: ${shown(keyName)} is no condition key`);
  if (parts.base === 'Null') return compileNull(text, key, values, parts, where);
  const operator = findOperator(parts.base);
  if (operator === undefined) throw malformed(`${where}: ${shown(operatorName)} is no condition operator`);
  if (parts.set === 'all' && isOverlyPermissiveForAll(key)) {
    throw malformed(
      `${where}: OverlyPermissiveCondition: Using the ForAllValues set operator with the single-valued condition key ${shown(keyName)} matches requests without it. To fix, remove ForAllValues.`,
    );
  }
  const templates = values.map((value) => {
    const template = operator.compile(value, variables);
    if (template === undefined)
      throw malformed(`${where}: ${text}: expected ${operator.expects}, found ${shown(value)}`);
    return template;
  });
  const keys = [key, ...templates.flatMap((template) => template.variables)];
  return { text, key, keys, holds: (request, effect) => holds(request, effect, { key, parts, operator, templates }) };
}

function splitOperator(name: string): Parts {
  const [prefix, set] = SETS.find(([start]) => name.startsWith(start)) ?? ['', 'one' as const];
  const rest = name.slice(prefix.length);
  const ifExists = rest.endsWith(IF_EXISTS);
  return { base: ifExists ? rest.slice(0, -IF_EXISTS.length) : rest, set, ifExists };
}

type Compiled = {
  readonly key: ConditionKey;
  readonly parts: Parts;
  readonly operator: Operator;
  readonly templates: readonly Template[];
};

function holds(request: AccessRequest, effect: Effect, { key, parts, operator, templates }: Compiled): boolean {
  const value = key.read(request);
  // In doubt nothing is allowed and everything denied.
  if (value === AMBIGUOUS) return effect === 'Deny';
  if (operator.negated && effect === 'Allow' && !templates.every((template) => template.resolves(request)))
    return false;
  if (value === undefined || (value.length === 0 && typeof value !== 'string')) return holdsAbsent(parts, operator);
  const fits = (one: string): boolean =>
    templates.some((template) => template.matches(one, request)) !== operator.negated;
  if (typeof value === 'string') return fits(value);
  // Without a set operator the strict reading: some value must fit, or under a negated operator all.
  const every = parts.set === 'all' || (parts.set === 'one' && operator.negated);
  return every ? value.every(fits) : value.some(fits);
}

function holdsAbsent({ set, ifExists }: Parts, { negated }: Operator): boolean {
  if (ifExists || set === 'all') return true;
  return set === 'one' && negated;
}

/** `"true"`: the key must be absent; `"false"`: it must be there. */
function compileNull(
  text: string,
  key: ConditionKey,
  values: readonly string[],
  { ifExists }: Parts,
  where: string,
): Condition {
  if (ifExists) throw malformed(`${where}: Null has no form with IfExists`);
  const wanted = values.map((value) => value.toLowerCase());
  if (!wanted.every((value) => value === 'true' || value === 'false')) {
    throw malformed(`${where}: ${text}: expected \`true\` or \`false\``);
  }
  return {
    text,
    key,
    keys: [key],
    holds: (request) => {
      const value = key.read(request);
      const absent = value === undefined || (Array.isArray(value) && value.length === 0);
      return wanted.includes(absent ? 'true' : 'false');
    },
  };
}
