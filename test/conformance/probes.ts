/**
 * Every limit of every member of an action's input, out of AWS's model: a value on it, a value beyond, and what AWS says to that
 * one.
 */
import { OTHER_LIMITS } from './exceptions.ts';
import { inputOf, shapeNamed, wholePattern, type ShapeModel } from './model.ts';

/** One limit of one member. */
export type Probe = {
  /** As the page names it: `Tags.TagKey`. */
  readonly member: string;
  /** `at most 128 characters`. */
  readonly limit: string;
  /** What breaks this limit alone, or with others. */
  readonly beyond: object;
  /** The violation that an answer to it has to name; undefined: it is not read at all (SerializationException). */
  readonly says: string | undefined;
  /** What lies on the limit: an answer to it names no such violation. */
  readonly within: readonly object[];
};

/** Where a value stands: how a request with it is made, and how AWS names the place. */
type Place = { readonly member: string; readonly path: string; readonly put: (value: unknown) => object };

/** All of them, from requests that have what is required, as small as it may be. */
export function probesOf(action: string): readonly Probe[] {
  const input = inputOf(action);
  const base = smallest(input);
  return structProbes(
    input,
    {
      member: '',
      path: '',
      put: (value) => value as object, // what `structProbes` puts there
    },
    base,
  );
}

function structProbes(shape: ShapeModel, place: Place, base: object): readonly Probe[] {
  return Object.entries(shape.members ?? {}).flatMap(([name, shapeName]) => {
    const inner: Place = {
      member: place.member === '' ? name : `${place.member}.${name}`,
      path: `${place.path}${name.charAt(0).toLowerCase()}${name.slice(1)}`,
      put: (value) => place.put({ ...base, [name]: value }),
    };
    const absent = shape.required?.includes(name) === true ? [missing(inner)] : [];
    return [...absent, ...memberProbes(shapeName, inner)];
  });
}

function memberProbes(shapeName: string, place: Place): readonly Probe[] {
  const shape = shapeNamed(shapeName);
  const own = [wrongKind(shape, place), ...limitProbes(shapeName, place)];
  if (shape.type === 'structure')
    return [...own, ...structProbes(shape, { ...place, path: `${place.path}.` }, smallest(shape))];
  if (shape.type !== 'list') return own;
  return [...own, ...elementProbes(shape, place)];
}

/** Structures are named one by one; of plain values the list as a whole is. */
function elementProbes({ member = '' }: ShapeModel, place: Place): readonly Probe[] {
  const shape = shapeNamed(member);
  const put = (value: unknown): object => place.put([value]);
  const one: Place = { member: `${place.member}[]`, path: `${place.path}.1.member`, put };
  if (shape.type === 'structure')
    return [wrongKind(shape, one), ...structProbes(shape, { ...one, path: `${one.path}.` }, smallest(shape))];
  const limits = limitsOf(member);
  const says = `Member must satisfy constraint: [${limits.map(({ constraint }) => constraint).join(', ')}]`;
  const probes = limits.map(({ limit, beyond, within }): Probe => ({
    member: one.member,
    limit,
    beyond: put(beyond),
    says: violation(`'[${String(beyond)}]'`, place.path, says),
    within: within.map(put),
  }));
  return [wrongKind(shape, one), ...probes];
}

const violation = (value: string | undefined, path: string, constraint: string): string =>
  `Value${value === undefined ? '' : ` ${value}`} at '${path}' failed to satisfy constraint: ${constraint}`;

function missing({ member, path, put }: Place): Probe {
  const says = violation('null', path, 'Member must not be null');
  return { member, limit: 'required', beyond: put(undefined), says, within: [] };
}

const KIND: Readonly<Record<ShapeModel['type'], string>> = {
  string: 'text',
  integer: 'a whole number',
  blob: 'base64',
  boolean: 'true or false',
  timestamp: 'seconds since 1970',
  list: 'a list',
  map: 'texts by name',
  structure: 'a structure',
};

function wrongKind({ type }: ShapeModel, { member, put }: Place): Probe {
  const wrong = { blob: '!', integer: 1.5, map: { a: 1 } };
  const value: unknown = type in wrong ? wrong[type as keyof typeof wrong] : type === 'boolean' ? 'true' : true;
  return { member, limit: KIND[type], beyond: put(value), says: undefined, within: [] };
}

type Limit = {
  readonly limit: string;
  readonly constraint: string;
  readonly beyond: unknown;
  readonly within: readonly unknown[];
};

function limitProbes(shapeName: string, { member, path, put }: Place): readonly Probe[] {
  const { type } = shapeNamed(shapeName);
  return limitsOf(shapeName).map(({ limit, constraint, beyond, within }): Probe => {
    const shown =
      type === 'blob' ? undefined : `'${Array.isArray(beyond) ? `[${beyond.join(', ')}]` : String(beyond)}'`;
    return { member, limit, beyond: put(beyond), says: violation(shown, path, constraint), within: within.map(put) };
  });
}

const UNITS: Partial<Record<ShapeModel['type'], string>> = { string: 'characters', blob: 'bytes', list: 'entries' };

/** In the order in which AWS names what fails. */
function limitsOf(shapeName: string): readonly Limit[] {
  const shape = limited(shapeName);
  const { type, min = 0, max, enum: words, pattern } = shape;
  const unit = UNITS[type];
  const sized = unit === undefined ? sizeLimits(shape, 'value', '') : sizeLimits(shape, 'length', ` ${unit}`);
  const of = (bound: number): unknown => sample(shape, bound);
  return [
    ...sized.map(({ bound, beyond, ...rest }) => ({ ...rest, beyond: of(beyond), within: [of(bound)] })),
    ...(words === undefined ? [] : [enumLimit(words)]),
    ...(pattern === undefined ? [] : [patternLimit(pattern, min, max)]),
  ];
}

type SizeLimit = {
  readonly bound: number;
  readonly beyond: number;
  readonly limit: string;
  readonly constraint: string;
};

function sizeLimits({ min, max, type }: ShapeModel, measure: string, unit: string): readonly SizeLimit[] {
  const says = (than: string, bound: number): string => `Member must have ${measure} ${than} than or equal to ${bound}`;
  const most: readonly SizeLimit[] =
    max === undefined
      ? []
      : [{ bound: max, beyond: max + 1, limit: `at most ${max}${unit}`, constraint: says('less', max) }];
  const bounded = min !== undefined && (min > 0 || type === 'integer');
  return bounded
    ? [...most, { bound: min, beyond: min - 1, limit: `at least ${min}${unit}`, constraint: says('greater', min) }]
    : most;
}

function enumLimit(words: readonly string[]): Limit {
  return {
    limit: `one of ${words.join(', ')}`,
    constraint: `Member must satisfy enum value set: [${words.join(', ')}]`,
    beyond: 'X',
    within: words,
  };
}

function patternLimit(pattern: string, min: number, max = Number.POSITIVE_INFINITY): Limit {
  const candidates = ['a b', 'A', '\u0100', 'ab', '-'].map(
    (text) => text + text.slice(-1).repeat(Math.max(0, min - text.length)),
  );
  const beyond = candidates.find((text) => !wholePattern(pattern).test(text) && text.length <= max);
  if (beyond === undefined) throw new Error(`no text is beyond ${pattern}`);
  const constraint = `Member must satisfy regular expression pattern: ${pattern}`;
  return { limit: `matches \`${pattern}\``, constraint, beyond, within: [] };
}

/** A value of this size. */
function sample(shape: ShapeModel, size: number): unknown {
  switch (shape.type) {
    case 'integer':
      return size;
    case 'blob':
      return Buffer.alloc(size).toString('base64');
    case 'list':
      return Array.from({ length: size }, () => smallestOf(shape.member ?? ''));
    default:
      return 'a'.repeat(size);
  }
}

/** The least of what is required. */
function smallest({ members = {}, required = [] }: ShapeModel): object {
  return Object.fromEntries(required.map((name) => [name, smallestOf(members[name] ?? '')]));
}

function smallestOf(shapeName: string): unknown {
  const shape = limited(shapeName);
  switch (shape.type) {
    case 'structure':
      return smallest(shape);
    case 'map':
      return {};
    case 'boolean':
      return false;
    case 'timestamp':
      return 0;
    default:
      return shape.enum?.[0] ?? sample(shape, shape.min ?? 0);
  }
}

function limited(shapeName: string): ShapeModel {
  return { ...shapeNamed(shapeName), ...OTHER_LIMITS[shapeName]?.limits };
}
