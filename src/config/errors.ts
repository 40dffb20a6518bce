/** Errors of the config file: one ConfigError holds every problem found, each with its own code and place. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../errors.ts';
import type { Problem } from './problem.ts';

export const CONFIG_ERRORS = {
  ERR_CONFIG_INVALID: {
    says: 'The config file has problems; each is listed with file, line and column and a code of its own.',
    why: 'Nothing runs on a config that is only partly understood.',
    fix: 'Mend the places listed. An editor that knows `config/sealgate.schema.json` shows most of them while you type.',
    exit: 3,
  },
  ERR_CONFIG_UNREADABLE: {
    says: 'The config file cannot be read.',
    why: 'There is no such file, it may not be read, it is no UTF-8 text or it is larger than 1 MiB.',
    fix: 'Name the file with `--config`, or write one with `sealgate init`.',
    exit: 3,
  },
  ERR_CONFIG_SYNTAX: {
    says: 'The file is not the YAML that Sealgate reads.',
    why: 'A YAML error, a second document, a key that is not text, or a tag, anchor, alias or merge key: those are refused, since a value must stand where it is used.',
    fix: 'Write the value out at the place named. Text that begins with `*`, `&`, `!` or `%` needs quotes.',
    exit: 3,
  },
  ERR_CONFIG_DUPLICATE_KEY: {
    says: 'A key stands twice in one mapping.',
    why: 'Which of the two is meant cannot be known.',
    fix: 'Remove one of them; the message names both places.',
    exit: 3,
  },
  ERR_CONFIG_UNKNOWN_KEY: {
    says: 'A key that Sealgate does not know at this place.',
    why: 'A misspelt key that is ignored could leave data unsealed, so none is ignored.',
    fix: 'The message names the nearest known key, or the keys that may stand there.',
    exit: 3,
  },
  ERR_CONFIG_MISSING: {
    says: 'A key that has to be there is missing.',
    why: 'It has no default that would be safe to assume.',
    fix: 'Add it; the message says what it holds.',
    exit: 3,
  },
  ERR_CONFIG_TYPE: {
    says: 'A value is of the wrong kind: text where a number belongs, a list where a mapping belongs.',
    why: 'YAML reads unquoted `000000000000` or `1e3` as numbers, and `on` as text.',
    fix: 'Write what the message expects; quote text that looks like a number.',
    exit: 3,
  },
  ERR_CONFIG_VALUE: {
    says: 'A value is of the right kind but not one that is allowed here.',
    why: 'It is out of range, misspelt, or not in the form the message names.',
    fix: 'Write one of the values or the form that the message names.',
    exit: 3,
  },
  ERR_CONFIG_ENV: {
    says: 'An environment variable that the config names is not set, or is empty.',
    why: '`${NAME}` is replaced when the config is read; nothing is assumed in its place.',
    fix: 'Set the variable, or write `$${NAME}` where the text itself is meant.',
    exit: 3,
  },
  ERR_CONFIG_FILE: {
    says: 'A file that the config names cannot be read, or cannot be used.',
    why: 'It does not exist, is empty, or may not be read (paths are relative to the folder of the config file); or a certificate, its key or a revocation list in it does not parse, or they do not belong together.',
    fix: 'Correct the path, the rights or what the file holds; the message says which.',
    exit: 3,
  },
  ERR_CONFIG_CONTRADICTION: {
    says: 'Two rules contradict one another.',
    why: 'What they say about the same data differs, and neither is narrower in every respect; or one rule asks for things that exclude each other.',
    fix: 'The message names both places and what would settle it.',
    exit: 3,
  },
} as const satisfies ErrorCatalogue;

export type ConfigErrorCode = keyof typeof CONFIG_ERRORS & ErrorCode;

/** `problems` holds every single one found; the message prints them all, one per line. */
export class ConfigError extends SealgateError<ConfigErrorCode> {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly Problem[] = [], options?: ErrorOptions) {
    super(code, message, options);
    this.problems = problems;
  }
}
