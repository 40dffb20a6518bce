/**
 * Holds what was read against the limits of its shape, and says everything that is wrong at once, in AWS's words. A blob's value
 * is never shown: it may be a key.
 */
import { KmsError } from '../errors.ts';
import type { ReadStruct } from './read.ts';
import type { ShapeData, StructData } from './shapes.ts';

/** Errors: ERR_KMS_VALIDATION. */
export function validate(value: ReadStruct, shape: StructData): void {
  const found = structViolations(value, shape, '');
  if (found.length === 0) return;
  const count = found.length === 1 ? '1 validation error' : `${found.length} validation errors`;
  throw new KmsError('ERR_KMS_VALIDATION', `${count} detected: ${found.join('; ')}`);
}

/** Nearly every request has none, and takes nothing for it. */
const NONE: readonly string[] = [];

function structViolations(value: ReadStruct, shape: StructData, prefix: string): readonly string[] {
  let found = NONE;
  for (const name of Object.keys(shape.members)) {
    const member = shape.members[name];
    const given = value[name];
    if (member === undefined || (given === undefined && !member.required)) continue;
    const path = (): string => `${prefix}${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const own =
      given === undefined
        ? [violation(null, path(), 'Member must not be null')]
        : violations(given, member.shape, path);
    if (own.length > 0) found = [...found, ...own];
  }
  return found;
}

/** `path`: asked for where something is wrong. */
function violations(value: unknown, shape: ShapeData, path: () => string): readonly string[] {
  if (shape.type === 'struct') return structViolations(value as ReadStruct, shape, `${path()}.`); // as `read.ts` made it
  const broken = constraints(value, shape);
  const own = broken.length === 0 ? NONE : broken.map((one) => violation(shown(value), path(), one));
  if (shape.type !== 'list') return own;
  const ofElements = elementViolations(value as readonly unknown[], shape.of, path); // likewise
  return ofElements.length === 0 ? own : [...own, ...ofElements];
}

/** Structures are named one by one; of plain values the list as a whole is, with all that its elements have to satisfy. */
function elementViolations(values: readonly unknown[], of: ShapeData, path: () => string): readonly string[] {
  if (of.type === 'struct')
    return values.flatMap((value, index) => violations(value, of, () => `${path()}.${index + 1}.member`));
  if (values.every((value) => constraints(value, of).length === 0)) return NONE;
  return [violation(shown(values), path(), `Member must satisfy constraint: [${everyConstraint(of).join(', ')}]`)];
}

function violation(value: string | null | undefined, path: string, constraint: string): string {
  const quoted = value === undefined ? 'Value' : value === null ? 'Value null' : `Value '${value}'`;
  return `${quoted} at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** Undefined: not to be shown. */
function shown(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return undefined;
  if (Array.isArray(value)) return `[${value.map(String).join(', ')}]`;
  return String(value);
}

type Pattern = NonNullable<Extract<ShapeData, { readonly type: 'string' }>['pattern']>;

/** A constraint that a shape may set: the number or words it is set to, whether a value holds it, and how AWS says it. */
type Constraint = {
  readonly limit: (shape: ShapeData) => number | Pattern | readonly string[] | undefined;
  readonly holds: (value: unknown, limit: never) => boolean;
  readonly says: (limit: never) => string;
};

const lengthOf = (value: unknown): number => (value as { readonly length: number }).length; // text, bytes or a list, by its shape
const measured = (shape: ShapeData, bound: 'min' | 'max'): number | undefined =>
  shape.type === 'string' || shape.type === 'blob' || shape.type === 'list' ? shape[bound] : undefined;
const ranged = (shape: ShapeData, bound: 'min' | 'max'): number | undefined =>
  shape.type === 'integer' ? shape[bound] : undefined;

/** In AWS's order. */
const CONSTRAINTS: readonly Constraint[] = [
  {
    limit: (shape) => measured(shape, 'max'),
    holds: (value, max: number) => lengthOf(value) <= max,
    says: (max: number) => `Member must have length less than or equal to ${max}`,
  },
  {
    limit: (shape) => measured(shape, 'min'),
    holds: (value, min: number) => lengthOf(value) >= min,
    says: (min: number) => `Member must have length greater than or equal to ${min}`,
  },
  {
    limit: (shape) => ranged(shape, 'max'),
    holds: (value, max: number) => (value as number) <= max, // an integer, by its shape
    says: (max: number) => `Member must have value less than or equal to ${max}`,
  },
  {
    limit: (shape) => ranged(shape, 'min'),
    holds: (value, min: number) => (value as number) >= min, // likewise
    says: (min: number) => `Member must have value greater than or equal to ${min}`,
  },
  {
    limit: (shape) => (shape.type === 'string' ? shape.oneOf : undefined),
    holds: (value, words: readonly string[]) => words.includes(String(value)),
    says: (words: readonly string[]) => `Member must satisfy enum value set: [${words.join(', ')}]`,
  },
  {
    limit: (shape) => (shape.type === 'string' ? shape.pattern : undefined),
    holds: (value, pattern: Pattern) => pattern.whole.test(String(value)),
    says: (pattern: Pattern) => `Member must satisfy regular expression pattern: ${pattern.source}`,
  },
];

/** What one shape sets: found out once, as most shapes set one or two of all that there are. */
type Bound = { readonly holds: (value: unknown) => boolean; readonly says: () => string };

const boundsOf = new WeakMap<ShapeData, readonly Bound[]>();

function bounds(shape: ShapeData): readonly Bound[] {
  const known = boundsOf.get(shape);
  if (known !== undefined) return known;
  const found = CONSTRAINTS.flatMap(({ limit, holds, says }): readonly Bound[] => {
    // Each row's `holds` and `says` take what its own `limit` gives.
    const bound = limit(shape) as never;
    return bound === undefined ? [] : [{ holds: (value) => holds(value, bound), says: () => says(bound) }];
  });
  boundsOf.set(shape, found);
  return found;
}

function constraints(value: unknown, shape: ShapeData): readonly string[] {
  let broken = NONE;
  for (const { holds, says } of bounds(shape)) if (!holds(value)) broken = [...broken, says()];
  return broken;
}

function everyConstraint(shape: ShapeData): readonly string[] {
  return bounds(shape).map(({ says }) => says());
}
