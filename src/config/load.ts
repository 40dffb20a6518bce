/**
 * Reads a config file: text -> document -> environment -> shape -> rules and files. Each stage reports everything it finds;
 * a later stage runs only on what the earlier ones found sound.
 */
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { readDocument, type Plain, type Positions, type SourceTree } from './document.ts';
import { ConfigError } from './errors.ts';
import { ConfigFiles, reasonOf, type ReadFile } from './files.ts';
import { interpolate, type Environment } from './interpolate.ts';
import { formatPath, formatProblem, type ConfigPath, type Finding, type Problem } from './problem.ts';
import type { CheckPolicy } from './resolve/access.ts';
import type { CheckLifeRule } from './resolve/key-life.ts';
import { resolveConfig } from './resolve/resolve.ts';
import { checkShape } from './shape.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
/** More than anyone reads at once. */
const MAX_LISTED = 50;

export type LoadOptions = {
  /** Read section `keys` only: for commands that need no more, so no variable or file of the other sections has to be there. */
  readonly only?: 'keys';
  /** Says what is wrong with a policy document; this room does not know their language. */
  readonly checkPolicy?: CheckPolicy;
  /** Says what is wrong with a rule on the life of keys: likewise. */
  readonly checkLifeRule?: CheckLifeRule;
};

/**
 * The config, or a ConfigError that lists every problem with its place (ERR_CONFIG_INVALID, ERR_CONFIG_UNREADABLE).
 * `configPath` is as the operator gave it and stands so in messages.
 */
export async function loadConfig(
  configPath: string,
  env: Environment,
  readFile: ReadFile,
  options: LoadOptions = {},
): Promise<Config> {
  const source = readDocument(await readText(configPath, readFile));
  const fail = (findings: readonly Finding[]): never => {
    throw invalid(configPath, findings, source.positions);
  };
  const syntax = source.findings;
  if (source.data === null) return fail(syntax.length > 0 ? syntax : [EMPTY]);
  const { data, findings: missing, fromEnvironment } = interpolate(narrow(source, options), env);
  const shape = checkShape(data, fromEnvironment);
  // What stands at a refused place, or should have come from a variable, is reported once, as that.
  const known = new Set([...syntax, ...missing].map(({ path }) => JSON.stringify(path)));
  const shapeFindings =
    shape.type === 'good' ? [] : shape.findings.filter(({ path }) => !known.has(JSON.stringify(path)));
  const early = [...syntax, ...missing, ...shapeFindings];
  if (shape.type === 'bad' || early.length > 0) return fail(early);
  const file = resolve(configPath);
  const { config, findings } = await resolveConfig(shape.file, file, new ConfigFiles(file, readFile), {
    checkPolicy: options.checkPolicy ?? (() => undefined),
    checkLifeRule: options.checkLifeRule ?? (() => undefined),
  });
  return findings.length > 0 ? fail(findings) : config;
}

const EMPTY: Finding = {
  code: 'ERR_CONFIG_MISSING',
  path: [],
  at: 'value',
  message: 'the file is empty; `sealgate init` writes a commented example',
};

/**
 * Whether the config's KMS API is served over TLS; undefined: it is not served. Looks at the file alone, so no variable or file of the
 * section has to be there; `loadConfig` says whether it is sound. Errors: ERR_CONFIG_UNREADABLE.
 */
export async function isKmsServedOverTls(configPath: string, readFile: ReadFile): Promise<boolean | undefined> {
  const { data } = readDocument(await readText(configPath, readFile));
  const kms = member(data, 'kms');
  return kms === undefined ? undefined : member(member(kms, 'listen'), 'tls') !== undefined;
}

function member(data: Plain | undefined, name: string): Plain | undefined {
  if (data === undefined || data === null || typeof data !== 'object' || Array.isArray(data)) return undefined;
  const members = data as { readonly [key: string]: Plain };
  return Object.hasOwn(members, name) ? (members[name] ?? undefined) : undefined;
}

function narrow({ data }: SourceTree, { only }: LoadOptions): Plain {
  if (only === undefined || data === null || typeof data !== 'object' || Array.isArray(data)) return data;
  const left = new Set(['kms', 's3', 'postgres', 'observe', 'workers']);
  return Object.fromEntries(Object.entries(data).filter(([key]) => !left.has(key)));
}

async function readText(configPath: string, readFile: ReadFile): Promise<string> {
  const unreadable = (reason: string, cause?: unknown): ConfigError =>
    new ConfigError('ERR_CONFIG_UNREADABLE', `cannot read the config file ${configPath}: ${reason}`, [], { cause });
  let bytes: Uint8Array;
  try {
    bytes = await readFile(resolve(configPath));
  } catch (error) {
    throw unreadable(reasonOf(error), error);
  }
  if (bytes.length > MAX_CONFIG_BYTES) throw unreadable('it is larger than 1 MiB');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw unreadable('it is no UTF-8 text', error);
  }
}

function toProblem(file: string, finding: Finding, positions: Positions): Problem {
  const { code, path, at, other } = finding;
  const second = other === undefined ? '' : ` (the other: ${formatPath(other)}, ${placeText(positions, other)})`;
  return {
    code,
    file,
    position: positions.of(path, at),
    path: formatPath(path),
    message: `${finding.message}${second}`,
  };
}

function placeText(positions: Positions, path: ConfigPath): string {
  const { line, column } = positions.of(path, 'value');
  return `line ${line}, column ${column}`;
}

function invalid(file: string, findings: readonly Finding[], positions: Positions): ConfigError {
  const problems = findings
    .map((finding) => toProblem(file, finding, positions))
    .sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  const lines = problems.slice(0, MAX_LISTED).map((problem) => `  ${formatProblem(problem)}`);
  if (problems.length > MAX_LISTED) lines.push(`  and ${problems.length - MAX_LISTED} more`);
  return new ConfigError('ERR_CONFIG_INVALID', [`${count} in the config file:`, ...lines].join('\n'), problems);
}
