/** Help texts: of the whole command, of a group (`keys`), of one command. */
import { EXIT, type Command, type CommandOption } from '../command.ts';

const HELP_ROW: readonly [string, string] = ['-h, --help', 'show this help'];

const EXIT_CODES: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'done',
  failure: 'failed; the error on stderr has a code, explained in docs/ERRORS.md',
  usage: 'the command line was not understood',
  config: 'the config file is wrong',
  upstream: 'an upstream could not be reached',
  keys: 'the key store could not be opened, or a key could not be used',
  sigint: 'ended by SIGINT before it was done',
  sigterm: 'ended by SIGTERM before it was done',
};

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

export function overviewHelp(commands: readonly Command[]): string {
  return [
    'Sealgate: clients speak plain S3 and PostgreSQL to it; what reaches the disk is ciphertext.',
    '',
    'Usage: sealgate <command> [options]',
    '',
    'Commands:',
    table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    table([
      ['-h, --help', 'show this help, or that of a command'],
      ['--version', 'show the version'],
    ]),
    '',
    'Exit codes:',
    table(Object.entries(EXIT).map(([name, code]) => [String(code), EXIT_CODES[name as keyof typeof EXIT]])),
    '',
    'Example:',
    '  sealgate init && sealgate check && sealgate up',
    '',
  ].join('\n');
}

/** The commands whose first words are `words`. */
export function groupHelp(words: string, commands: readonly Command[]): string {
  const [first] = commands;
  return [
    `Usage: sealgate ${words} <command> [options]`,
    '',
    'Commands:',
    table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Example:',
    ...exampleLines(first?.example ?? ''),
    '',
    `Each has its own help: sealgate ${first?.name ?? words} --help`,
    '',
  ].join('\n');
}

function optionRow([name, option]: [string, CommandOption]): readonly [string, string] {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const value = option.type === 'string' ? ` <${option.placeholder ?? 'value'}>` : '';
  return [`${short}--${name}${value}`, option.help];
}

const exampleLines = (example: string): readonly string[] =>
  example
    .trim()
    .split('\n')
    .map((line) => `  ${line.trim()}`);

export function commandHelp({ usage, summary, details, options, example }: Command): string {
  return [
    `Usage: sealgate ${usage}`,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(details === undefined ? [] : ['', details.trim()]),
    '',
    'Options:',
    table([...Object.entries(options).map(optionRow), HELP_ROW]),
    '',
    'Example:',
    ...exampleLines(example),
    '',
  ].join('\n');
}
