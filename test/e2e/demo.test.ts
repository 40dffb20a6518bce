/** The demo as a new user runs it: the whole product on real servers, through its own command. */
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { missing } from '../support/programs.ts';
import { sealgate, start, type Program, type Ran } from '../support/run.ts';
import { skipBecause } from '../support/skip.ts';

const MINUTES = 60_000;

/** Where the demos put their files, so that what they leave behind can be told from others'. */
let folder: string;
const running: Program[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-demo-test-'));
  // As root, PostgreSQL runs as somebody who has to pass.
  await chmod(folder, 0o711);
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await nothingLeft();
  await rm(folder, { recursive: true });
});

function demo(...words: readonly string[]): Program {
  const program = sealgate(['demo', ...words], { env: { ...process.env, TMPDIR: folder, TEMP: folder } });
  running.push(program);
  return program;
}

/** Returns when all files are gone, which a demo that was killed leaves to its servers. */
async function nothingLeft(): Promise<void> {
  while ((await readdir(folder)).length > 0) await sleep(50);
}

describe('demo --once', { timeout: 5 * MINUTES }, () => {
  test('every claim holds, each has its line, nothing is left behind', async () => {
    const { code, stdout, stderr } = await demo('--once').done;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^ {2}ok {3}/gm)).toHaveLength(10);
    expect(stdout).not.toContain('FAIL');
    expect(await readdir(folder)).toEqual([]);
  });

  test('a taken port is an error that names the port, and nothing is left behind', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void squatter.close());
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    for (const option of ['--s3-port', '--postgres-port', '--observe-port']) {
      const { code, stderr } = await demo('--once', option, port).done;
      expect(code).toBe(1);
      expect(stderr).toContain('ERR_CLI_LISTEN');
      expect(stderr).toContain(port);
      expect(await readdir(folder)).toEqual([]);
    }
  });

  test('killed in the middle, its servers end and its files go', async () => {
    const { child, untilSays } = demo('--once');
    await untilSays('creating a key store');
    child.kill('SIGKILL');
    await nothingLeft();
    expect((await demo('--once').done).code).toBe(0);
  });

  test('Ctrl-C in the middle ends it in order', async () => {
    let ended: Ran;
    do {
      const { child, untilSays, done } = demo('--once');
      await untilSays('starting Sealgate');
      child.kill('SIGINT');
      ended = await done;
      // On a busy machine it may be done before we are heard.
    } while (ended.code === 0);
    expect(ended).toMatchObject({ code: 130, stderr: '' });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('demo, while it stays up', { timeout: 2 * MINUTES }, () => {
  let staying: Program;
  let said = '';

  beforeAll(async () => {
    staying = demo();
    staying.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await staying.untilSays('Ctrl-C stops everything');
  }, 5 * MINUTES);

  /** The printed command lines that look so, as they stand. */
  const printed = (pattern: RegExp): readonly string[] =>
    said
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => pattern.test(line));
  /** What it answers, pasted into a shell. */
  const paste = (command = 'false', input = ''): Promise<Ran> =>
    start('sh', ['-c', `${command} <<'END'\n${input}\nEND`]).done;

  describe('psql', () => {
    skipBecause(missing('psql'));
    const sql = 'select email, national_id from customers where id = 7;';

    test('the printed commands show both sides', async () => {
      const [through, past, ...more] = printed(/^PGPASSWORD=\w+ psql /);
      expect(more).toEqual([]);
      expect((await paste(through, sql)).stdout).toMatch(/hana\.novak\.7@mail\.example \| \d{3}-\d{2}-\d{4}\n/);
      expect((await paste(past, sql)).stdout).toMatch(/\\xf5534756\w+ \| \\xf5534756\w+\n/);
    });
  });

  describe('aws', () => {
    skipBecause(missing('aws'));

    test('the printed commands show both sides', async () => {
      const [through, past, ...more] = printed(/^AWS_ACCESS_KEY_ID=\w+ .* s3 ls /);
      expect(more).toEqual([]);
      expect((await paste(through)).stdout).toMatch(/ 67108864 exports\/ledger-2025\.csv\n/);
      expect((await paste(past)).stdout).toMatch(/ 6718\d{4} exports\/ledger-2025\.csv\n/);
    });
  });

  describe('curl', () => {
    skipBecause(missing('curl'));

    test('the printed commands show metrics and readiness', async () => {
      const [metrics, ready] = printed(/^curl /);
      expect((await paste(metrics)).stdout).toContain('sealgate_');
      expect(JSON.parse((await paste(ready)).stdout)).toMatchObject({ ready: true });
    });
  });

  test('a second demo runs beside it', async () => {
    expect((await demo('--once').done).code).toBe(0);
  });

  test('Ctrl-C ends it in order', async () => {
    staying.child.kill('SIGINT');
    expect(await staying.done).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(folder)).toEqual([]);
  });
});
