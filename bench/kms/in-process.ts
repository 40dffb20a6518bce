/** Uses of keys without a wire: what the gateway, the proxy and the KMS edge ask of the key manager, with policies and audit. */
import { execFile } from 'node:child_process';
import { createSecretKey, hash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sealAesGcm } from '../../src/crypto/aes-gcm.ts';
import { hmacSha256 } from '../../src/crypto/hmac.ts';
import { keptHmacText, openKeptHmac } from '../../src/crypto/kept-hmac.ts';
import { pooledRandom } from '../../src/crypto/random.ts';
import type { EncryptionContext } from '../../src/envelope/encryption-context.ts';
import type { KeyUse } from '../../src/keys/uses/data-keys.ts';
import type { KeyManager } from '../../src/keys/key-manager.ts';
import type { BenchOptions } from '../options.ts';
import { costTable, measureCost, type Cost } from './cost-table.ts';
import { KEY_ALIAS, openBenchKeys, OPERATOR, PRINCIPAL } from './keys.ts';

const OPERATIONS = 20_000;
/** Unmeasured, of each: the engine compiles what is hot while it sees all of it, as in a process that has been up for a while. */
const WARM_UPS = 3;
/** Of a process that does one thing, after those: a short round of its own would show its first seconds alone. */
export const ALONE_ROUNDS = 5;
const ALONE = ['GenerateDataKey', 'Decrypt, not cached'];
const ALONE_PROGRAM = join(import.meta.dirname, 'alone.ts');
/** As many callers wait at once: their records go out together. */
const AT_ONCE = 64;

const use: KeyUse = { principal: PRINCIPAL, via: 'kms', resource: 'bench' };
const contextOf = (n: number): EncryptionContext => Object.freeze({ table: 'orders', row: String(n) });

type Measured = readonly (readonly [name: string, costs: readonly Cost[]])[];
type Work = { readonly name: string; readonly run: (n: number) => Promise<unknown> };

export async function benchInProcess({ rounds, print }: BenchOptions): Promise<void> {
  print(costTable('In process, 64 callers at once, in turns', 'operations', await measureInTurns(undefined, rounds)));
  print(costTable('In process, 64 callers at once, each alone', 'operations', await measureAlone(rounds)));
}

/** `only`: the name of one of them, with which the process does nothing else. */
export async function measureInTurns(only: string | undefined, rounds: number): Promise<Measured> {
  await using held = await openBenchKeys();
  await held.keys.createKey({ alias: KEY_ALIAS }, OPERATOR);
  const works = (await worksOf(held.keys)).filter(({ name }) => only === undefined || name === only);
  const costs = new Map<string, Cost[]>(works.map(({ name }) => [name, []]));
  for (let pass = 0; pass < WARM_UPS; pass += 1) for (const { run } of works) await inParallel(run);
  for (let round = 0; round < rounds; round += 1)
    for (const { name, run } of works)
      costs.get(name)?.push(await measureCost(process.pid, OPERATIONS, () => inParallel(run)));
  return [...costs];
}

/** Each in a process of its own, as a gateway that writes or one that reads asks for nothing else; a fresh one in each round. */
async function measureAlone(rounds: number): Promise<Measured> {
  const costs = new Map<string, Cost[]>(ALONE.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const name of ALONE) costs.get(name)?.push(...(JSON.parse(await outputOf(name)) as Cost[]));
  return [...costs];
}

async function outputOf(name: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [ALONE_PROGRAM, name]);
  return stdout;
}

async function worksOf(keys: KeyManager): Promise<readonly Work[]> {
  const contexts = Array.from({ length: OPERATIONS }, (_, n) => contextOf(n));
  const contextAt = (n: number): EncryptionContext => contexts[n] ?? {};
  const wrapped: Uint8Array[] = [];
  for (const context of contexts)
    wrapped.push((await keys.generateDataKey({ keyId: KEY_ALIAS, context }, use)).wrapped);
  const decrypt = (n: number): Promise<unknown> =>
    keys.decrypt({ wrapped: wrapped[n] ?? new Uint8Array(), context: contextAt(n) }, use);
  const ciphertextAt = (n: number) => ({ ciphertext: wrapped[n], keyId: undefined, context: contextAt(n) });
  return [
    { name: 'GenerateDataKey', run: (n) => keys.generateDataKey({ keyId: KEY_ALIAS, context: contextAt(n) }, use) },
    // Twice as many as the cache holds: each is unwrapped.
    { name: 'Decrypt, not cached', run: decrypt },
    { name: 'Decrypt, cached', run: (n) => decrypt(n % 1000) },
    {
      name: 'GenerateDataKey, as bytes',
      run: (n) => keys.operations.generateDataKey({ keyId: KEY_ALIAS, bytes: 32, context: contextAt(n) }, use),
    },
    { name: 'for comparison: the bare primitives of GenerateDataKey', run: async () => barePrimitives() },
    { name: 'Decrypt, as bytes', run: (n) => keys.operations.decrypt(ciphertextAt(n), use) },
  ];
}

const random = pooledRandom();
const bareKey = createSecretKey(randomBytes(32));
const aad = randomBytes(139);
const record = randomBytes(800);

/** What the formats ask of node:crypto for one data key and its record, and nothing else: no use of a key here can cost less. */
function barePrimitives(): unknown {
  const drawn = random(60);
  const derived = hmacSha256(bareKey, aad);
  const sealed = sealAesGcm(derived, drawn.subarray(0, 12), drawn.subarray(12, 44), aad);
  const open = [openKeptHmac(bareKey, aad), keptHmacText(bareKey, record, 'base64url'), hash('sha256', record, 'hex')];
  return [createSecretKey(drawn.subarray(12, 44)), sealed, open];
}

async function inParallel(run: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < OPERATIONS) await run(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
}
