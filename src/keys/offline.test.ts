import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keyFolder, testPorts } from '../../test/support/keys/keys.ts';
import { backupBesideOwner, readKeys, verifyAudit } from './offline.ts';
import { verifyBackup } from './backup/restore.ts';

const BUSY_OWNER = fileURLToPath(new URL('../../test/support/keys/keys-crash-child.ts', import.meta.url));
const ROUNDS = 12;

test('Beside an owner in another process that changes keys without pause, reading never takes a change for tampering', async () => {
  await using keys = await keyFolder();
  const owner = spawn(process.execPath, [BUSY_OWNER, JSON.stringify(keys.options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(owner.stdout.resume(), 'data');
    const before = (await readKeys(keys.options, Date.now)).length;
    const grown = async (): Promise<boolean> => (await readKeys(keys.options, Date.now)).length > before;
    for (let round = 0; round < ROUNDS || !(await grown()); round++) {
      await readKeys(keys.options, Date.now);
      expect((await verifyAudit(keys.options)).problem).toBeUndefined();
      const path = keys.path(`backup-${round}`);
      const { keys: count } = await backupBesideOwner(keys.options, { path }, testPorts);
      expect((await verifyBackup(path, keys.options.unseal)).keys).toBe(count);
    }
  } finally {
    const ended = once(owner, 'exit');
    owner.kill('SIGKILL');
    await ended;
  }
});
