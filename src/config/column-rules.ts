/** Column rules: from the file's form to the rooms', and what contradicts what. */
import { formatColumnName, parseColumnName, type ColumnName } from './column-name.ts';
import { parseColumnType, refusedType, TYPE_NAMES, type ColumnType } from './column-type.ts';
import { nearest } from './nearest.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigFile } from './schema.ts';

export type ColumnRule = ColumnName & {
  /** PostgreSQL's spelling, in small letters: `numeric(10,2)`. */
  readonly type: string;
  /** KMS key id, ARN or alias. */
  readonly keyId: string;
  readonly mode: 'randomized' | 'deterministic';
  /** Only of deterministic columns. */
  readonly domain: string | undefined;
  readonly guard: boolean;
  /** The column default, as its type is written in text. */
  readonly default?: string;
  readonly checks?: readonly CheckRule[];
  /** `mode: format-preserving`, which is deterministic. */
  readonly format?: FormatRule;
  /** A mode that hides little is meant. */
  readonly force?: true;
};

/** How values keep their form. */
export type FormatRule = {
  readonly alphabet: 'digits' | 'digits-and-small-letters' | 'digits-and-capitals' | 'alphanumeric';
  readonly keepFirst: number;
  readonly keepLast: number;
  /** The number of the data key. */
  readonly generation: number;
};

/** A CHECK constraint that the proxy enforces. */
export type CheckRule = { readonly name: string; readonly expression: string };

type Section = NonNullable<ConfigFile['postgres']>;
type FileRule = Section['columns'][number];
/** A rule that is sound in itself, with its place. */
type Placed = { readonly rule: ColumnRule; readonly type: ColumnType; readonly path: ConfigPath };

/** All column rules, and everything that is wrong with them alone or together. */
export function readColumnRules(
  section: Section,
  at: ConfigPath,
): { rules: readonly ColumnRule[]; findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const placed: Placed[] = [];
  for (const [index, fileRule] of section.columns.entries()) {
    const path = [...at, 'columns', index];
    const read = readRule(fileRule, path, section.guard === 'on');
    if ('findings' in read) findings.push(...read.findings);
    else placed.push(read);
  }
  findings.push(...unknownDatabases(placed, section), ...repeated(placed), ...domainsApart(placed));
  return { rules: placed.map(({ rule }) => rule), findings };
}

const wrong = (code: Finding['code'], path: ConfigPath, message: string, other?: ConfigPath): Finding => ({
  code,
  path,
  at: 'value',
  message,
  ...(other === undefined ? {} : { other }),
});

function readRule(
  rule: FileRule,
  path: ConfigPath,
  guard: boolean,
): Placed | { readonly findings: readonly Finding[] } {
  const name = parseColumnName(rule.column);
  const type = parseColumnType(rule.type);
  const findings = [...modeFindings(rule, path, type)];
  const problem = 'problem' in name ? name.problem : ownedSchema(name.schema);
  if (problem !== undefined) findings.push(wrong('ERR_CONFIG_VALUE', [...path, 'column'], problem));
  if (type === undefined) findings.push(wrong('ERR_CONFIG_VALUE', [...path, 'type'], unknownType(rule.type)));
  if (findings.length > 0 || 'problem' in name || type === undefined) return { findings };
  const preserves = rule.mode === 'format-preserving';
  return {
    path,
    type,
    rule: {
      ...name,
      type: type.text,
      keyId: rule.key,
      mode: rule.mode === 'randomized' ? 'randomized' : 'deterministic',
      domain: rule.domain,
      // What keeps its form has no form by which a server could tell it.
      guard: preserves ? false : rule.guard === undefined ? guard : rule.guard === 'on',
      ...(preserves && rule.format !== undefined && { format: rule.format }),
      ...(rule.default !== undefined && { default: rule.default }),
      ...(rule.check !== undefined && { checks: rule.check }),
      ...(rule.force && { force: rule.force }),
    },
  };
}

/** Whose tables no application's values are in: DDL that sealed them would break the server, or what opens sealed values. */
function ownedSchema(schema: string): string | undefined {
  if (schema === 'sealgate') return 'schema sealgate holds the wrapped data keys: it is never sealed itself';
  return schema.startsWith('pg_') || schema === 'information_schema'
    ? `schema ${schema} is the server’s own: name a table of the application`
    : undefined;
}

function unknownType(text: string): string {
  const reason = refusedType(text);
  if (reason !== undefined) return reason;
  const near = nearest(text.replace(/\(.*$/u, '').trim(), TYPE_NAMES);
  return `no such type; expected one of ${TYPE_NAMES.join(', ')} (with char(n), varchar(n), numeric(p,s), timestamptz(p), arrays such as text[]), or an enum or domain as schema.name${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
}

/** What excludes what within one rule. */
function modeFindings(rule: FileRule, path: ConfigPath, type: ColumnType | undefined): readonly Finding[] {
  const contradiction = (key: string, message: string): readonly Finding[] => [
    wrong('ERR_CONFIG_CONTRADICTION', [...path, key], message, [...path, 'mode']),
  ];
  if (rule.mode === 'format-preserving') return formatFindings(rule, path, type);
  if (rule.format !== undefined) return contradiction('format', '`format` needs `mode: format-preserving`');
  if (rule.mode === 'randomized') {
    if (rule.search === 'equality')
      return contradiction(
        'search',
        '`search: equality` needs `mode: deterministic`: randomized values never look equal',
      );
    return rule.domain === undefined
      ? []
      : contradiction('domain', '`domain` needs `mode: deterministic`: randomized values never look equal');
  }
  if (rule.search === 'none') {
    return contradiction(
      'search',
      '`search: none` needs `mode: randomized`: deterministic values can always be compared',
    );
  }
  if (type === undefined) return [];
  if (type.comparison === undefined) {
    const instead = /^(?:numeric|decimal)$/u.test(type.text)
      ? 'give it precision and scale, such as numeric(12,2), or use `mode: randomized`'
      : 'use `mode: randomized`';
    return contradiction(
      'type',
      `${type.text} cannot be deterministic: equal values can be written in several ways; ${instead}`,
    );
  }
  if (!type.fewValues || rule.force === true) return [];
  return contradiction(
    'type',
    `a deterministic ${type.text} shows its few values by how often they occur; use \`mode: randomized\`, or say \`force: true\``,
  );
}

/** Types whose values are texts of characters. */
const FORMAT_TYPES = /^(?:text|varchar|character varying)(?:\((\d+)\))?$/u;

function formatFindings(rule: FileRule, path: ConfigPath, type: ColumnType | undefined): readonly Finding[] {
  const contradiction = (key: string, message: string): Finding =>
    wrong('ERR_CONFIG_CONTRADICTION', [...path, key], message, [...path, 'mode']);
  const none = (key: 'search' | 'domain' | 'guard', is: boolean, message: string): readonly Finding[] =>
    is ? [contradiction(key, message)] : [];
  const findings = [
    ...none(
      'search',
      rule.search === 'none',
      '`search: none` needs `mode: randomized`: values that keep their form can always be compared',
    ),
    ...none('domain', rule.domain !== undefined, 'a format-preserving column shares no domain: its tweak is its own'),
    ...none(
      'guard',
      rule.guard === 'on',
      'no server can tell a value that keeps its form from plaintext, so there is no guard',
    ),
  ];
  if (rule.format === undefined)
    findings.push(wrong('ERR_CONFIG_CONTRADICTION', [...path, 'mode'], '`mode: format-preserving` needs `format`'));
  if (type !== undefined && !FORMAT_TYPES.test(type.text))
    findings.push(contradiction('type', `${type.text} has no characters to preserve: use text or varchar(n)`));
  return findings;
}

function unknownDatabases(placed: readonly Placed[], section: Section): readonly Finding[] {
  const known = new Set(section.databases.flatMap(({ name, service }) => (service === undefined ? [] : [name])));
  return placed
    .filter(({ rule }) => !known.has(rule.database))
    .map(({ rule, path }) => {
      const near = nearest(rule.database, [...known]);
      const hint = near === undefined ? 'add it there with its `service` connection' : `did you mean \`${near}\`?`;
      return wrong(
        'ERR_CONFIG_CONTRADICTION',
        [...path, 'column'],
        `the database ${JSON.stringify(rule.database)} does not stand in \`postgres.databases\`; ${hint}`,
      );
    });
}

function repeated(placed: readonly Placed[]): readonly Finding[] {
  const seen = new Map<string, ConfigPath>();
  return placed.flatMap(({ rule, path }) => {
    const name = formatColumnName(rule);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, path);
    return first === undefined
      ? []
      : [wrong('ERR_CONFIG_CONTRADICTION', [...path, 'column'], `a second rule for the column ${name}`, first)];
  });
}

/** A domain has one key and one way to compare, per database. */
function domainsApart(placed: readonly Placed[]): readonly Finding[] {
  const first = new Map<string, Placed>();
  return placed.flatMap((member) => {
    const { rule, type, path } = member;
    if (rule.domain === undefined) return [];
    const name = JSON.stringify([rule.database, rule.domain]);
    const other = first.get(name);
    if (other === undefined) first.set(name, member);
    if (other === undefined) return [];
    const findings: Finding[] = [];
    if (rule.keyId !== other.rule.keyId) {
      findings.push(
        wrong('ERR_CONFIG_CONTRADICTION', [...path, 'key'], `columns of domain \`${rule.domain}\` need the same key`, [
          ...other.path,
          'key',
        ]),
      );
    }
    if (type.comparison !== other.type.comparison) {
      const message = `columns of domain \`${rule.domain}\` must compare alike: ${type.text} and ${other.type.text} do not`;
      findings.push(wrong('ERR_CONFIG_CONTRADICTION', [...path, 'type'], message, [...other.path, 'type']));
    }
    return findings;
  });
}
