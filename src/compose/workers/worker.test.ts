import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DataKeys } from '../../keys/uses/data-keys.ts';
import { Worker } from './worker.ts';

/** Nobody asks it here. */
const KEYS = {} as unknown as DataKeys;
const START = { file: 'sealgate.yaml', digest: '', ports: {} };

/** A worker's place taken by a program of the test's. */
function program(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-worker-'));
  const path = join(folder, 'program.mjs');
  writeFileSync(path, text);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('A process that the system does not give is one that ended: it is said, and nothing waits for it', async () => {
  const { execPath } = process;
  process.execPath = '/nowhere/node';
  try {
    const worker = new Worker(1, KEYS);
    await expect(worker.start(START)).rejects.toMatchObject({ code: 'ERR_CLI_WORKER' });
    expect(await worker.ended).toContain('ENOENT');
    expect(await worker.readiness()).toBeUndefined();
    expect(await worker.stop(0)).toBe(false);
  } finally {
    process.execPath = execPath;
  }
});

test('One that never says that it is there is ended, and its start fails', async () => {
  using silent = program('setInterval(() => undefined, 1000); process.on("message", () => undefined);');
  const worker = new Worker(1, KEYS, { program: silent.path, loadMs: 500 });
  await expect(worker.start(START)).rejects.toMatchObject({ code: 'ERR_CLI_WORKER' });
  expect(await worker.ended).toBe('SIGKILL');
});

test('No signal makes it listen for a debugger', async () => {
  using signalled = program(`
    import { url } from 'node:inspector';
    process.kill(process.pid, 'SIGUSR1');
    let looks = 0;
    setInterval(() => {
      if (url() !== undefined) process.exit(9);
      if ((looks += 1) === 20) process.exit(7);
    }, 50);
  `);
  expect(await new Worker(1, KEYS, { program: signalled.path }).ended).toBe('code 7');
});

test('One whose primitives compute wrong does not start', async () => {
  using broken = program(`
    import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    crypto.hkdfSync = (hash, key, salt, info, length) => new ArrayBuffer(length);
    syncBuiltinESMExports();
    await import(${JSON.stringify(new URL('./worker-process.ts', import.meta.url).href)});
  `);
  const worker = new Worker(1, KEYS, { program: broken.path });
  await expect(worker.start(START)).rejects.toMatchObject({
    code: 'ERR_CRYPTO_SELF_TEST',
    message: expect.stringContaining('HKDF') as string,
  });
  expect(await worker.ended).toBe('code 1');
});

test('That it started is heard, whatever comes together with it', async () => {
  using talking = program(`
    process.on('message', ({ type }) => {
      if (type === 'stop') process.exit(0);
      for (let number = 0; number < 50; number += 1) process.send({ type: 'readiness', number, checks: [] });
      process.send({ type: 'started', listeners: [] });
      for (let number = 0; number < 50; number += 1) process.send({ type: 'readiness', number, checks: [] });
    });
    process.send({ type: 'here' });
  `);
  const worker = new Worker(1, KEYS, { program: talking.path });
  expect(await worker.start(START)).toEqual([]);
  await worker.stop(1000);
});
