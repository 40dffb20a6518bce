import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { send, signKms } from '../../support/kms/edge.ts';
import { WRAPPING_ALGORITHMS, wrapByNode } from '../../support/keys/wrap-material.ts';

const CHILD = fileURLToPath(new URL('../../support/kms/heap-child.ts', import.meta.url));

test('Plaintexts that pass through leave no string behind: a heap snapshot shows none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-heap-'));
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = async (): Promise<string> => String((await once(child.stdout, 'data'))[0]).trim();
  try {
    const port = Number(await said());
    const call = async (action: string, input: object): Promise<Readonly<Record<string, unknown>>> => {
      const body = Buffer.from(JSON.stringify(input));
      const answer = await send({ port, tls: false }, signKms(port, body, { action }), body);
      expect(answer.status).toBe(200);
      return answer.json ?? {};
    };
    const Description = `seen-${randomBytes(12).toString('hex')}`;
    const { KeyMetadata } = await call('CreateKey', { Description });
    const { KeyId } = KeyMetadata as { KeyId: string };
    const plaintexts = [];
    for (let round = 0; round < 20; round += 1) {
      const secret = Buffer.from(`secret-${randomBytes(24).toString('hex')}`);
      const { CiphertextBlob } = await call('Encrypt', { KeyId, Plaintext: secret.toString('base64') });
      await call('Decrypt', { CiphertextBlob });
      const { Plaintext } = await call('GenerateDataKey', { KeyId, NumberOfBytes: 48 });
      plaintexts.push(secret, Buffer.from(String(Plaintext), 'base64'));
      const made = await call('Sealgate.BatchGenerateDataKey', { Entries: [{ KeyId, NumberOfBytes: 48 }] });
      const [entry] = made['Entries'] as { Plaintext: string; CiphertextBlob: string }[];
      await call('Sealgate.BatchDecrypt', { Entries: [{ CiphertextBlob: entry?.CiphertextBlob }] });
      plaintexts.push(Buffer.from(String(entry?.Plaintext), 'base64'));
    }
    for (const WrappingAlgorithm of WRAPPING_ALGORITHMS) {
      const external = (await call('CreateKey', { Origin: 'EXTERNAL' }))['KeyMetadata'] as { KeyId: string };
      const asked = { KeyId: external.KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' };
      const { ImportToken, PublicKey } = await call('GetParametersForImport', asked);
      const material = randomBytes(32);
      const wrapped = wrapByNode(WrappingAlgorithm, Buffer.from(String(PublicKey), 'base64'), material);
      const sent = { ...asked, ImportToken, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
      await call('ImportKeyMaterial', { ...sent, EncryptedKeyMaterial: wrapped.toString('base64') });
      plaintexts.push(material, wrapped, Buffer.from(String(ImportToken), 'base64'));
    }
    const path = join(folder, 'heap.heapsnapshot');
    child.stdin.write(`${path}\n`);
    expect(await said()).toBe('written');
    const snapshot = readFileSync(path, 'latin1');
    // What is a string there is found: the search can find.
    expect(snapshot).toContain(Description);
    for (const plaintext of plaintexts)
      for (const form of ['base64', 'latin1', 'hex'] as const) {
        // Of base64 the part that does not depend on what stands around it.
        const text = plaintext.toString(form).slice(0, 24);
        expect(snapshot.includes(JSON.stringify(text).slice(1, -1))).toBe(false);
      }
  } finally {
    child.stdin.end();
    await once(child, 'close');
    rmSync(folder, { recursive: true, force: true });
  }
});
