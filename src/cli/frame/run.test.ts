import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';
import { commands } from '../commands.ts';
import { CliError } from '../errors.ts';
import { runCommandLine } from './run.ts';

const all = commands(() => Promise.reject(new Error('nothing is started here')));

test.each(all.map((command) => ({ command, name: command.name })))(
  '`sealgate $name --help` says how it is used, with an example to paste',
  async ({ command: { name, usage, example, options } }) => {
    using cli = cliFolder();
    const { exit, stdout, stderr } = await cli.run(...name.split(' '), '--help');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toContain(`Usage: sealgate ${usage}`);
    for (const line of example.split('\n')) expect(stdout.toString()).toContain(line.trim());
    expect(example).toContain(`sealgate ${name}`);
    // An option that the example or the usage names is one there is.
    for (const [, option = ''] of `${usage} ${example.match(/sealgate [^|]*/u)?.[0] ?? ''}`.matchAll(
      / --([a-z0-9-]+)/gu,
    ))
      expect(Object.keys(options)).toContain(option);
  },
);

test.each([[[]], [['--help']], [['-h']], [['help']]])(
  '`sealgate %s` lists every command and the exit codes',
  async (words) => {
    using cli = cliFolder();
    const { exit, stdout } = await cli.run(...words);
    expect(exit).toBe(0);
    for (const { name } of all) expect(stdout.toString()).toContain(`  ${name} `);
    expect(stdout.toString()).toContain('Exit codes:');
  },
);

test.each([
  [['keys'], ['keys init', 'keys alias create']],
  [
    ['keys', '--help'],
    ['keys init', 'keys alias create'],
  ],
  [
    ['keys', 'alias'],
    ['keys alias create', 'keys alias list'],
  ],
  [
    ['keys', 'alias', '-h'],
    ['keys alias create', 'keys alias list'],
  ],
  [
    ['help', 'open'],
    ['open object', 'open value'],
  ],
])('The group `sealgate %j` lists its commands and no others', async (words, names) => {
  using cli = cliFolder();
  const { exit, stdout } = await cli.run(...words);
  const text = stdout.toString();
  expect(exit).toBe(0);
  for (const name of names) expect(text).toContain(`  ${name} `);
  expect(text).not.toContain('\n  check ');
});

test.each([
  [['keyz'], 'did you mean `keys`?'],
  [['keys', 'creat'], 'did you mean `keys create`?'],
  [['keys', 'alais'], 'did you mean `keys alias`?'],
  [['keys', 'alias', 'craete', 'x', 'y'], 'did you mean `keys alias create`?'],
  [['frobnicate'], '`sealgate --help` lists the commands'],
  [['keys', 'create', '--alais', 'x'], 'did you mean `--alias`?'],
  [['keys', 'create', '--alias'], '`--alias` needs a value'],
  [['keys', 'create', '--alias', '--json'], '`--alias` needs a value'],
  [['keys', 'create', '--json=yes'], '`--json` takes no value'],
  [['keys', 'create', 'x'], 'takes no further words'],
  [['keys', 'rotate', 'x', 'y'], 'too many words'],
  [['keys', 'describe'], 'a word is missing'],
  [['keys', 'create', '--__proto__', 'x'], 'unknown option `--__proto__`'],
  [['up', '--drain', 'soon'], 'whole seconds'],
  [['demo', '--s3-port', '0'], 'a port from 1 to 65535'],
])('%j is not understood: exit code 2, and on stderr the code and what was meant', async (words, hint) => {
  using cli = cliFolder();
  const { exit, stdout, stderr } = await cli.run(...words);
  expect([exit, stdout.toString()]).toEqual([2, '']);
  expect(stderr).toMatch(/^sealgate: ERR_CLI_USAGE /u);
  expect(stderr).toContain(hint);
});

test.each([
  ['the signal as it is', async (signal: AbortSignal) => signal.throwIfAborted(), 143, ''],
  ['what an aborted wait throws', (signal: AbortSignal) => sleep(1, undefined, { signal }), 143, ''],
  ['an error of its own', () => Promise.reject(new CliError('ERR_CLI_READ', 'damaged')), 1, 'ERR_CLI_READ'],
  ['a defect', () => Promise.reject(new TypeError('oops')), 1, 'ERR_CLI_BUG'],
])('After a signal a command that ends with %s', async (_what, work, exit, said) => {
  const stop = new AbortController();
  const run = async (): Promise<number> => {
    stop.abort('SIGTERM');
    await work(stop.signal);
    return 0;
  };
  const command = { name: 'x', summary: '', usage: 'x', example: 'sealgate x', options: {}, run };
  const { stdin } = process;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdin, stdout, stderr, env: {}, cwd: '.', signal: stop.signal };
  expect(await runCommandLine(['x'], [command], io)).toBe(exit);
  const text = String(stderr.read() ?? '');
  expect(said === '' ? text === '' : text.includes(said), text).toBe(true);
});

test('A value that begins with a dash is given with `=`', async () => {
  using cli = cliFolder();
  expect((await cli.run('init')).exit).toBe(0);
  const { exit, stdout } = await cli.run('keys', 'create', '--description=-x', '--json');
  expect([exit, JSON.parse(stdout.toString())]).toEqual([0, expect.objectContaining({ description: '-x' })]);
});

test('An error says its code, what to do and where to read on; the exit code is the catalogue’s', async () => {
  using cli = cliFolder();
  const { exit, stderr } = await cli.run('keys', 'list');
  expect(exit).toBe(3);
  expect(stderr.split('\n').map((line) => line.slice(0, 30))).toEqual([
    'sealgate: ERR_CONFIG_UNREADABL',
    '  what to do: Name the file wi',
    '  more: docs/ERRORS.md#err_con',
    '',
  ]);
});
