/** Checks the shape of the data against the schema, and says in our own words what is wrong. */
import type { z } from 'zod';
import type { Plain } from './document.ts';
import { nearest } from './nearest.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { plainJsonSchema, schemaAt, valueAt, type JsonSchema } from './schema-facts.ts';
import { configSchema, type ConfigFile } from './schema.ts';

type Issue = z.core.$ZodIssue;
type Context = { readonly schema: JsonSchema; readonly data: Plain };
type Shape =
  | { readonly type: 'good'; readonly file: ConfigFile }
  | { readonly type: 'bad'; readonly findings: readonly Finding[] };

/** `fromEnvironment`: see `interpolate`. Texts from there become numbers or booleans where those are expected. */
export function checkShape(data: Plain, fromEnvironment: ReadonlySet<string>): Shape {
  const first = configSchema.safeParse(data);
  if (first.success) return { type: 'good', file: first.data };
  const converted = convert(data, first.error.issues, fromEnvironment);
  const second = configSchema.safeParse(converted);
  if (second.success) return { type: 'good', file: second.data };
  const context = { schema: plainJsonSchema(), data: converted };
  return { type: 'bad', findings: withoutRepeats(second.error.issues.flatMap((issue) => findingsOf(issue, context))) };
}

/** Of several findings of one kind at one place the last: the check that knows most of the place runs last. */
function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const nameOf = ({ code, path }: Finding): string => JSON.stringify([code, path]);
  return [...new Map(findings.map((finding) => [nameOf(finding), finding])).values()];
}

function convert(data: Plain, issues: readonly Issue[], fromEnvironment: ReadonlySet<string>): Plain {
  const copy = structuredClone(data);
  for (const issue of issues) {
    if (issue.code !== 'invalid_type' || !fromEnvironment.has(JSON.stringify(issue.path))) continue;
    const text = valueAt(copy, pathOf(issue));
    const parent = valueAt(copy, pathOf(issue).slice(0, -1));
    const step = issue.path.at(-1);
    if (typeof text !== 'string' || typeof parent !== 'object' || parent === null || step === undefined) continue;
    const value = parseScalar(text, issue.expected);
    // The clone is ours alone, so its readonly does not bind.
    if (value !== undefined) (parent as Record<PropertyKey, Plain>)[step] = value;
  }
  return copy;
}

function parseScalar(text: string, expected: string): number | boolean | undefined {
  if ((expected === 'number' || expected === 'int') && /^-?\d{1,15}$/u.test(text)) return Number(text);
  if (expected === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return undefined;
}

/** zod allows symbols in paths; YAML has none. */
const pathOf = (issue: Issue): ConfigPath => issue.path.map((step) => (typeof step === 'number' ? step : String(step)));

function findingsOf(issue: Issue, context: Context): readonly Finding[] {
  const path = pathOf(issue);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, context));
  const absent = valueAt(context.data, path) === undefined;
  if (absent && issue.code !== 'custom') return [missing(path, context)];
  const found = (code: Finding['code'], message: string): readonly Finding[] => [{ code, path, at: 'value', message }];
  switch (issue.code) {
    case 'invalid_type':
      return found(
        'ERR_CONFIG_TYPE',
        `expected ${kindName(issue.expected)}, found ${kindOf(valueAt(context.data, path), issue.expected)}`,
      );
    case 'invalid_value':
      return found('ERR_CONFIG_VALUE', expectedWord(issue.values.map(String), valueAt(context.data, path)));
    case 'invalid_union':
      return found('ERR_CONFIG_VALUE', unionMessage(issue, context));
    case 'too_small':
      return found('ERR_CONFIG_VALUE', `expected at least ${amount(Number(issue.minimum), issue.origin)}`);
    case 'too_big':
      return found('ERR_CONFIG_VALUE', `expected at most ${amount(Number(issue.maximum), issue.origin)}`);
    case 'custom':
      return [customFinding(issue, path)];
    default:
      return found('ERR_CONFIG_VALUE', issue.message);
  }
}

function customFinding(issue: Issue & { readonly code: 'custom' }, path: ConfigPath): Finding {
  const isMissing = issue.params?.['missing'] === true;
  return {
    code: isMissing ? 'ERR_CONFIG_MISSING' : 'ERR_CONFIG_VALUE',
    path,
    at: isMissing ? 'value' : 'key',
    message: issue.message,
  };
}

function unknownKey(path: ConfigPath, key: string, { schema, data }: Context): Finding {
  const known = Object.keys(schemaAt(schema, data, path)?.properties ?? {});
  const near = nearest(key, known);
  const hint =
    near === undefined
      ? `expected one of ${known.map((name) => `\`${name}\``).join(', ')}`
      : `did you mean \`${near}\`?`;
  return { code: 'ERR_CONFIG_UNKNOWN_KEY', path: [...path, key], at: 'key', message: `unknown key; ${hint}` };
}

function missing(path: ConfigPath, { schema, data }: Context): Finding {
  const description = schemaAt(schema, data, path)?.description;
  return {
    code: 'ERR_CONFIG_MISSING',
    path,
    at: 'value',
    message: `missing${description === undefined ? '' : `; expected here: ${description}`}`,
  };
}

/** The word given is shown nowhere: it may have come from the environment. Its nearest known word is. */
function expectedWord(known: readonly string[], value: Plain | undefined): string {
  const near = typeof value === 'string' ? nearest(value, known) : undefined;
  const all = known.map((word) => `\`${word}\``).join(', ');
  return `expected ${known.length > 1 ? 'one of ' : ''}${all}${near === undefined || known.length === 1 ? '' : `; did you mean \`${near}\`?`}`;
}

function unionMessage(issue: Issue & { readonly code: 'invalid_union' }, { schema, data }: Context): string {
  const path = pathOf(issue);
  const at = schemaAt(schema, data, path.at(-1) === 'type' ? path.slice(0, -1) : path);
  const types = (at?.oneOf ?? [])
    .map((member) => member.properties?.['type']?.const)
    .filter((type) => typeof type === 'string');
  return types.length === 0 ? issue.message : expectedWord(types, valueAt(data, path));
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a mapping (`key: value`)',
  array: 'a list (`- item`)',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

const kindName = (expected: string): string => KINDS[expected] ?? expected;

function kindOf(value: Plain | undefined, expected: string): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const hint = expected === 'string' ? ' (quotes make it text)' : '';
  if (typeof value === 'number') return `${numberKind(value)}${hint}`;
  if (typeof value === 'boolean') return `true or false${hint}`;
  return expected !== 'string' && /^(?:-?\d+|true|false)$/u.test(value) ? 'text (write it without quotes)' : 'text';
}

function numberKind(value: number): string {
  if (!Number.isFinite(value)) return 'one without end';
  return Number.isInteger(value) ? 'a number' : 'a fraction';
}

function amount(limit: number, origin: string): string {
  if (origin === 'array') return limit === 1 ? 'one entry' : `${limit} entries`;
  if (origin === 'string') return limit === 1 ? 'one character' : `${limit} characters`;
  return String(limit);
}
