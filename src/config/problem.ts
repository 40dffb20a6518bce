/** One mistake in a config file, with its place. */
import type { ConfigErrorCode } from './errors.ts';

/** Keys and list indexes from the root: `['s3', 'buckets', 0, 'seal']`. */
export type ConfigPath = readonly (string | number)[];

/** A step that stands for no key: what follows it only tells places apart. YAML text cannot hold it unescaped. */
export const MARK = '\u0000';

/** Both count from 1, as editors do; the column counts characters. */
export type Position = { readonly line: number; readonly column: number };

export type Problem = {
  readonly code: ConfigErrorCode;
  readonly file: string;
  readonly position: Position;
  /** The path as people write it: `s3.buckets[0].seal`. */
  readonly path: string;
  /** What is wrong and what was expected. Never holds a value of the file's secrets or of the environment. */
  readonly message: string;
};

/** A problem as the checks report it: places come later, from the document. */
export type Finding = {
  readonly code: ConfigErrorCode;
  readonly path: ConfigPath;
  /** Whether the key itself is at fault or its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  /** A second place the message speaks of; printed with its line. */
  readonly other?: ConfigPath;
};

/** `s3.buckets[0].seal`; a path that a mark ends is written as far as the mark. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (step === MARK) break;
    if (typeof step === 'number') text += `[${step}]`;
    else text += (text === '' ? '' : '.') + (/^[\w-]+$/u.test(step) ? step : JSON.stringify(step));
  }
  return text === '' ? '(the whole file)' : text;
}

/** `sealgate.yaml:12:5: s3.buckets[0].seel: unknown key … (ERR_CONFIG_UNKNOWN_KEY)` */
export function formatProblem({ code, file, position, path, message }: Problem): string {
  return `${file}:${position.line}:${position.column}: ${path}: ${message} (${code})`;
}
