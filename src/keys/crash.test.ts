import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { keyFolder, TEST_USE as use, type KeyFolder } from '../../test/support/keys.ts';
import { verifyAudit } from './offline.ts';

const KILLS = 16;
const CHILD = fileURLToPath(new URL('../../test/support/keys-crash-child.ts', import.meta.url));

type Acknowledged = { readonly keyId: string; readonly wrapped: Uint8Array };

/**
 * Starts a child on the store, kills it in the middle of its work, and gives what it had acknowledged by then: at least
 * `afterLines`, however slow the machine is.
 */
async function killedRun(keys: KeyFolder, afterLines: number, afterMs: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(keys.options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let killing: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // One line more: the first says that the store is open.
      if (killing !== undefined || output.split('\n').length - 1 <= afterLines) return;
      killing = setTimeout(() => child.kill('SIGKILL'), afterMs);
    });
    child.once('close', () => resolve());
  });
  const lines = output.split('\n').slice(1, -1);
  return lines.map((line) => ({ keyId: line.slice(0, 36), wrapped: Buffer.from(line.slice(37), 'hex') }));
}

test('Killed at any instant of creating and rotating, the store loses nothing that was acknowledged', async () => {
  await using keys = await keyFolder();
  const acknowledged: Acknowledged[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    acknowledged.push(...(await killedRun(keys, kill % 4, 3 + kill * 7)));
    const manager = await keys.open();
    for (const { keyId, wrapped } of acknowledged)
      await manager.decrypt({ wrapped, context: { purpose: 'crash' }, keyId }, use);
    await manager.close();
    expect((await verifyAudit(keys.options)).problem).toBeUndefined();
  }
  expect(acknowledged.length).toBeGreaterThan(KILLS);
});
