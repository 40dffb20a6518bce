/** From the words of the command line to a command and its arguments. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import type { Command, CommandArguments } from '../command.ts';
import { CliError } from '../errors.ts';

export type Invocation =
  | { readonly type: 'overview' }
  | { readonly type: 'version' }
  | { readonly type: 'group'; readonly words: string; readonly commands: readonly Command[] }
  | { readonly type: 'help'; readonly command: Command }
  | { readonly type: 'run'; readonly command: Command; readonly args: CommandArguments };

/** Picks the word that was probably meant; see `nearest` of the config room. */
export type Suggest = (word: string, known: readonly string[]) => string | undefined;

const isHelp = (word: string): boolean => word === '--help' || word === '-h';

/** Errors: ERR_CLI_USAGE. */
export function parseCommandLine(words: readonly string[], commands: readonly Command[], suggest: Suggest): Invocation {
  const [first, ...others] = words;
  if (first === undefined || isHelp(first)) return { type: 'overview' };
  if (first === '--version') return { type: 'version' };
  if (first === 'help') return parseCommandLine([...others, '--help'], commands, suggest);
  const command = longestMatch(words, commands);
  if (command === undefined) return group(words, commands, suggest);
  const rest = words.slice(command.name.split(' ').length);
  if (rest.slice(0, untilTerminator(rest)).some(isHelp)) return { type: 'help', command };
  return { type: 'run', command, args: parseArguments(rest, command, suggest) };
}

const untilTerminator = (words: readonly string[]): number =>
  words.includes('--') ? words.indexOf('--') : words.length;

function longestMatch(words: readonly string[], commands: readonly Command[]): Command | undefined {
  const matching = commands.filter(({ name }) => name.split(' ').every((word, index) => words[index] === word));
  return matching.sort((a, b) => b.name.length - a.name.length)[0];
}

/** `keys` alone, or `keys alias --help`, or a word that is no command. */
function group(words: readonly string[], commands: readonly Command[], suggest: Suggest): Invocation {
  const isMember = (depth: number) => (command: Command) =>
    command.name.startsWith(`${words.slice(0, depth).join(' ')} `);
  // The longest beginning that some commands have: `keys alias` of `keys alias craete x`.
  let depth = 0;
  while (depth < words.length && commands.some(isMember(depth + 1))) depth += 1;
  const members = depth === 0 ? commands : commands.filter(isMember(depth));
  const next = words[depth];
  if (next === undefined || isHelp(next))
    return { type: 'group', words: words.slice(0, depth).join(' '), commands: members };
  const known = new Set(
    members.map(({ name }) =>
      name
        .split(' ')
        .slice(0, depth + 1)
        .join(' '),
    ),
  );
  const near = suggest(words.slice(0, depth + 1).join(' '), [...known]);
  const hint = near === undefined ? '`sealgate --help` lists the commands' : `did you mean \`${near}\`?`;
  throw new CliError('ERR_CLI_USAGE', `unknown command; ${hint}`);
}

function parseArguments(words: readonly string[], command: Command, suggest: Suggest): CommandArguments {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { type, short, multiple }] of Object.entries(command.options)) {
    options[name] = {
      type,
      ...(short === undefined ? {} : { short }),
      ...(multiple === undefined ? {} : { multiple }),
    };
  }
  const { tokens } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = command.options[token.name];
    if (option === undefined || !Object.hasOwn(command.options, token.name))
      throw usage(command, unknownOption(token.rawName, command, suggest));
    if (option.type === 'string' && token.value === undefined)
      throw usage(command, `\`${token.rawName}\` needs a value`);
    if (
      option.type === 'string' &&
      token.inlineValue === false &&
      token.value?.startsWith('-') &&
      token.value !== '-'
    ) {
      throw usage(
        command,
        `\`${token.rawName}\` needs a value; one that begins with \`-\` is written \`${token.rawName}=…\``,
      );
    }
    if (option.type === 'boolean' && token.value !== undefined)
      throw usage(command, `\`${token.rawName}\` takes no value`);
  }
  // The tokens have been checked: what a non-strict parse leaves open is settled.
  const { values, positionals } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true });
  checkCount(positionals.length, command);
  return { positionals, values: values as CommandArguments['values'] };
}

function unknownOption(rawName: string, command: Command, suggest: Suggest): string {
  const near = suggest(
    rawName,
    Object.keys(command.options).map((name) => `--${name}`),
  );
  return `unknown option \`${rawName}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`;
}

function checkCount(count: number, command: Command): void {
  const { min, max } = command.positionals ?? { min: 0, max: 0 };
  if (count < min) throw usage(command, 'a word is missing');
  if (count > max) throw usage(command, max === 0 ? 'takes no further words' : 'too many words');
}

function usage(command: Command, message: string): CliError {
  return new CliError('ERR_CLI_USAGE', `${command.name}: ${message} (usage: sealgate ${command.usage})`);
}
