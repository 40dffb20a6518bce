/**
 * The shape of a command: what the frame (`run.ts`) parses, helps with and runs. One command per file; a command touches the
 * world only through the `CommandIo` it is handed.
 */
import type { Readable, Writable } from 'node:stream';

export type CommandOption = {
  readonly type: 'string' | 'boolean';
  /** One letter, without the dash. */
  readonly short?: string;
  /** May be given several times; the value is then an array. */
  readonly multiple?: boolean;
  /** What stands for the value in the help text, e.g. `file`. */
  readonly placeholder?: string;
  readonly help: string;
};

export type CommandOptions = Readonly<Record<string, CommandOption>>;

type OptionValue<Option extends CommandOption> = Option extends { readonly type: 'boolean' }
  ? boolean | undefined
  : Option extends { readonly multiple: true }
    ? readonly string[] | undefined
    : string | undefined;

export type CommandArguments<Options extends CommandOptions = CommandOptions> = {
  /** Words that are no options, after the command's own name. */
  readonly positionals: readonly string[];
  readonly values: { readonly [Name in keyof Options]: OptionValue<Options[Name]> };
};

/** Everything a command may read or write besides files and the network. */
export type CommandIo = {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths on the command line start here. */
  readonly cwd: string;
  /** Aborted by the first SIGINT or SIGTERM, with its name for reason; a long-running command then ends in order. */
  readonly signal: AbortSignal;
};

/** Standard output takes no more, which ends a command that writes much of it. Why is told by whoever owns the stream (`process.ts`). */
export class OutputEnded extends Error {}

/** The process's exit codes (docs/ERRORS.md). An error's own catalogue entry decides, through `exit`. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  config: 3,
  upstream: 4,
  keys: 5,
  sigint: 130,
  sigterm: 143,
} as const;

export type Command = {
  /** One word, or several: `keys create`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** After `sealgate `: `init [--force] [folder]`. */
  readonly usage: string;
  /** One or more whole command lines, ready to paste. */
  readonly example: string;
  /** Paragraphs between summary and options, where the summary does not say enough. */
  readonly details?: string;
  readonly options: CommandOptions;
  /** How many positionals are allowed; none unless told. The frame refuses others with ERR_CLI_USAGE. */
  readonly positionals?: { readonly min: number; readonly max: number };
  /** Resolves to the exit code; throws a SealgateError that the frame prints. */
  readonly run: (args: CommandArguments, io: CommandIo) => Promise<number>;
};

type Definition<Options extends CommandOptions> = Omit<Command, 'options' | 'run'> & {
  readonly options: Options;
  readonly run: (args: CommandArguments<Options>, io: CommandIo) => Promise<number>;
};

/** A command whose `run` sees the values of exactly its own options. */
export function defineCommand<const Options extends CommandOptions>(definition: Definition<Options>): Command {
  // The frame parses `values` by the very `options` that the types were inferred from.
  return { ...definition, run: (args, io) => definition.run(args as CommandArguments<Options>, io) };
}

/** The option every command that reads the config has. */
export const CONFIG_OPTION = {
  config: {
    type: 'string',
    short: 'c',
    placeholder: 'file',
    help: 'the config file (default: $SEALGATE_CONFIG, else ./sealgate.yaml)',
  },
} as const satisfies CommandOptions;
