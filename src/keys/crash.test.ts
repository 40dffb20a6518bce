import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../test/support/keys.ts';
import { missing } from '../../test/support/programs.ts';
import type { KeyManager } from './key-manager.ts';
import { verifyAudit } from './offline.ts';

const CHILD = fileURLToPath(new URL('../../test/support/keys-crash-child.ts', import.meta.url));
/** Kills in each test, and how many more a machine gets that is too slow to acknowledge anything in between. */
const KILLS = 12;
const PATIENCE = 5;
/** Calls that a start, a creation, a use and two rotations make on the store's files: about 80. */
const CALLS = 'pwrite64,fsync,fdatasync,rename,ftruncate,unlink,write';
const MOST_CALLS = 80;

type Acknowledged = readonly string[];

/** Runs `program` until it is killed; `onFirst` is called when it printed its first line. Gives the lines that came whole. */
async function linesOf(
  program: string,
  words: readonly string[],
  onFirst: (kill: () => void) => void,
): Promise<Acknowledged> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') onFirst(() => child.kill('SIGKILL'));
      output += text;
    });
    child.once('close', () => resolve());
  });
  return output.split('\n').slice(1, -1);
}

/** Whatever was acknowledged is there, opens and is of use. */
async function expectNothingLost(manager: KeyManager, acknowledged: Acknowledged): Promise<void> {
  const context = { purpose: 'crash' };
  const keys = new Map((await manager.listKeys(use)).map((key) => [key.keyId, key]));
  for (const line of acknowledged) {
    const [what, keyId = '', detail = ''] = line.split(' ');
    const materials = keys.get(keyId)?.materials.map(({ materialId }) => materialId) ?? [];
    expect(materials.length, line).toBeGreaterThan(0);
    if (what === 'rotated') expect(materials, line).toContain(detail);
    if (what === 'wrapped') await manager.decrypt({ wrapped: Buffer.from(detail, 'hex'), context, keyId }, use);
  }
  for (const keyId of keys.keys()) await manager.generateDataKey({ keyId, context }, use);
}

async function killAgainAndAgain(killedRun: (keys: KeyFolder) => Promise<Acknowledged>): Promise<void> {
  await using keys = await keyFolder();
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS || (acknowledged.length === 0 && kill < KILLS * PATIENCE); kill++) {
    acknowledged.push(...(await killedRun(keys)));
    const manager = await keys.open();
    await expectNothingLost(manager, acknowledged);
    await manager.close();
    expect((await verifyAudit(keys.options)).problem).toBeUndefined();
  }
  expect(acknowledged.length).toBeGreaterThan(0);
}

test('Killed after any time of creating, using and rotating, the store loses nothing that was acknowledged', async () => {
  await killAgainAndAgain((keys) =>
    linesOf(process.execPath, [CHILD, JSON.stringify(keys.options)], (kill) => setTimeout(kill, randomInt(120))),
  );
});

function whyNoTracing(): string | undefined {
  const traces = (): boolean => spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  return missing('strace') ?? (traces() ? undefined : 'strace may not trace here');
}

test('Killed at any of its system calls on the store’s files, the store loses nothing that was acknowledged', async ({
  skip,
}) => {
  const reason = whyNoTracing();
  if (reason !== undefined) skip(reason);
  await killAgainAndAgain((keys) => {
    const { storePath, audit } = keys.options;
    const endings = ['', '-wal', '.epoch', '.epoch.new'].map((ending) => `${storePath}${ending}`);
    const files = [...endings, audit.path, `${audit.path}.head`, keys.folder].flatMap((path) => ['-P', path]);
    const call = randomInt(1, MOST_CALLS);
    const inject = `inject=${CALLS}:signal=SIGKILL:when=${call}`;
    const child = [process.execPath, CHILD, JSON.stringify(keys.options)];
    const words = ['-f', '-qq', '-o', '/dev/null', ...files, '-e', `trace=${CALLS}`, '-e', inject, ...child];
    return linesOf('strace', words, () => undefined);
  });
});
