/** The demo as a new user runs it: the whole product on real servers, through its own command. */
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { missing, sealgate, start } from '../support/run.ts';

const MINUTES = 60_000;

async function demoFolders(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('sealgate-demo-'));
}

/** The command line after `prefix` in what the demo prints. */
function printed(stdout: string, pattern: RegExp): string {
  const line = stdout.split('\n').find((text) => pattern.test(text));
  if (line === undefined) throw new Error(`no line like ${String(pattern)} in:\n${stdout}`);
  return line.trim();
}

test(
  'demo --once: every claim holds, each has its line, nothing is left behind',
  { timeout: 5 * MINUTES },
  async () => {
    const before = await demoFolders();
    const { code, stdout, stderr } = await sealgate(['demo', '--once']).done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^ {2}ok {3}/gm)).toHaveLength(10);
    expect(stdout).not.toContain('FAIL');
    expect(await demoFolders()).toEqual(before);
  },
);

test(
  'demo: prints commands that work as they stand, and Ctrl-C ends it in order',
  { timeout: 5 * MINUTES },
  async () => {
    const demo = sealgate(['demo']);
    let said = '';
    demo.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await demo.untilSays('Ctrl-C stops everything');
    if (!missing('psql', 'the demo’s psql command')) {
      const psql = printed(said, /-U app shop$/);
      const { stdout } = await start('sh', [
        '-c',
        `${psql} -Atc "select count(*), min(birth_date) from customers where id < 0" -c "select email from customers where id = 7"`,
      ]).done;
      expect(stdout).toMatch(/\.7@mail\.example\n$/);
    }
    if (!missing('aws', 'the demo’s aws command')) {
      const { stdout } = await start('sh', ['-c', printed(said, /AWS_ACCESS_KEY_ID=DEMOAPP .* s3 ls/)]).done;
      expect(stdout).toMatch(/67108864 exports\/ledger-2025\.csv/);
    }
    const { stdout: metrics } = await start('sh', ['-c', printed(said, /curl .*metrics$/)]).done;
    expect(metrics).toContain('sealgate_');
    demo.child.kill('SIGINT');
    expect((await demo.done).code).toBe(0);
  },
);

test('A taken port is an error that names the port, and nothing is left behind', { timeout: 2 * MINUTES }, async () => {
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const before = await demoFolders();
  const { code, stderr } = await sealgate(['demo', '--once', '--s3-port', port]).done;
  squatter.close();
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_CLI_LISTEN');
  expect(stderr).toContain(port);
  expect(await demoFolders()).toEqual(before);
});
