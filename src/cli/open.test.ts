import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../../test/support/cli.ts';
import { TEST_USE as use, testPorts } from '../../test/support/keys/keys.ts';
import { plaintextOf, sealBody, sealMultipart } from '../../test/support/object-fixtures.ts';
import { sealgate } from '../../test/support/run.ts';
import { concatBytes } from '../crypto/bytes.ts';
import { takeKey, type Dek } from '../crypto/key-types.ts';
import { customerCheck, customerDek } from '../envelope/object/customer-key.ts';
import { encodeEnvelope, type ObjectLayout } from '../envelope/object/object-envelope.ts';
import { sealMetadata } from '../envelope/object/sealed-metadata.ts';
import { sealValue } from '../envelope/sealed-value.ts';
import { openKeyManager, type KeyManager } from '../keys/key-manager.ts';
import { dekContext } from '../postgres/columns/dek-table.ts';
import { parseLogicalType } from '../postgres/types/type-text.ts';
import { readValue } from '../postgres/types/values.ts';

const { random } = testPorts;
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

async function withStore<T>(cli: CliFolder, work: (keys: KeyManager) => Promise<T>): Promise<T> {
  if (!existsSync(cli.path('sealgate.yaml'))) expect((await cli.run('init')).exit).toBe(0);
  const audit = { path: cli.path('sealgate-audit.jsonl'), durability: 'write' } as const;
  const unseal = [{ type: 'key-file', path: cli.path('root.key') }] as const;
  const options = {
    storePath: cli.path('sealgate-keys.sqlite'),
    unseal,
    region: 'us-east-1',
    account: '000000000000',
    audit,
  };
  const keys = await openKeyManager(options, testPorts);
  try {
    return await work(keys);
  } finally {
    await keys.close();
  }
}

type Made = { readonly dek: Dek; readonly objectId: Uint8Array; readonly envelope: string };

/** An envelope as the gateway makes it for s3://bucket/a key. */
function makeObject(cli: CliFolder, layout: ObjectLayout, customer?: Uint8Array): Promise<Made> {
  return withStore(cli, async (keys) => {
    const { keyId } = await keys.createKey({}, use);
    const objectId = random(16);
    const context = {
      'aws:s3:arn': 'arn:aws:s3:::bucket/a key',
      'sealgate:object-id': Buffer.from(objectId).toString('hex'),
    };
    const { dek: unwrapped, wrapped } = await keys.generateDataKey({ keyId, context }, use);
    const dek =
      customer === undefined ? unwrapped : customerDek(unwrapped, takeKey('CustomerKey', customer.slice()), objectId);
    const check = customer === undefined ? {} : { customerCheck: customerCheck(dek, objectId) };
    const sealedMetadata = sealMetadata({ owner: 'ada' }, dek, objectId, random);
    const boundHeaders = { 'content-type': 'text/plain' };
    const fields = { layout, objectId, wraps: [{ type: 'direct', wrapped } as const], sealedMetadata, boundHeaders };
    return { dek, objectId, envelope: encodeEnvelope({ ...fields, ...check }, unwrapped) };
  });
}

const writeHead = (cli: CliFolder, envelope: string, type = 'text/plain'): void =>
  writeFileSync(
    cli.path('head.json'),
    JSON.stringify({ ContentType: type, ContentLength: 1, Metadata: { sealgate: envelope } }),
  );

test('An object opens from its stored bytes and what head-object printed, with its headers', async () => {
  using cli = cliFolder();
  const made = await makeObject(cli, 'single');
  const plaintext = plaintextOf(300_000);
  writeFileSync(cli.path('stored'), sealBody(made, plaintext).bytes);
  writeHead(cli, made.envelope);
  const opened = await cli.run(
    'open',
    'object',
    'stored',
    '--object',
    's3://bucket/a key',
    '--head',
    'head.json',
    '--headers',
  );
  expect(opened.exit).toBe(0);
  expect(opened.stdout.equals(plaintext)).toBe(true);
  expect(JSON.parse(opened.stderr)).toEqual({ 'content-type': 'text/plain', 'x-amz-meta-owner': 'ada' });
});

test.each([
  ['in its part numbers', [2, 5, 9], 100_000],
  ['before a long part 10000', [2, 10_000], 7_000_000],
] as const)('A multipart object with gaps %s opens with its envelope alone', async (_where, numbers, length) => {
  using cli = cliFolder();
  const made = await makeObject(cli, 'multipart');
  const parts = numbers.map((partNumber) => ({ partNumber, plaintext: plaintextOf(length + partNumber) }));
  writeFileSync(cli.path('stored'), concatBytes(...sealMultipart(made, parts)));
  const opened = await cli.run(
    'open',
    'object',
    'stored',
    '--object',
    's3://bucket/a key',
    '--envelope',
    made.envelope,
    '--out',
    'plain',
  );
  expect([opened.exit, opened.stderr]).toEqual([0, '']);
  const again = await cli.run('open', 'object', 'stored', '--object', 's3://bucket/a key', '--envelope', made.envelope);
  expect(again.stdout.equals(concatBytes(...parts.map((part) => part.plaintext)))).toBe(true);
});

test('An object of which a customer has half the key opens with that key, and with no other', async () => {
  using cli = cliFolder();
  const customer = random(32);
  const made = await makeObject(cli, 'single', customer);
  const plaintext = plaintextOf(70_000);
  writeFileSync(cli.path('stored'), sealBody(made, plaintext).bytes);
  writeHead(cli, made.envelope);
  writeFileSync(cli.path('key'), customer);
  writeFileSync(cli.path('key.txt'), `${Buffer.from(customer).toString('base64')}\n`);
  writeFileSync(cli.path('other'), random(32));
  writeFileSync(cli.path('short'), random(31));
  const open = (...more: string[]) =>
    cli.run('open', 'object', 'stored', '--object', 's3://bucket/a key', '--head', 'head.json', ...more);
  for (const file of ['key', 'key.txt']) {
    const opened = await open('--customer-key', file, '--headers');
    expect([opened.exit, opened.stdout.equals(plaintext)]).toEqual([0, true]);
    expect(JSON.parse(opened.stderr)).toEqual({ 'content-type': 'text/plain', 'x-amz-meta-owner': 'ada' });
  }
  for (const [more, text] of [
    [[], 'give it by --customer-key'],
    [['--customer-key', 'other'], 'is not the one'],
    [['--customer-key', 'short'], 'neither 32 bytes'],
    [['--customer-key', 'none'], 'cannot be read'],
  ] as const) {
    const { exit, stderr, stdout } = await open(...more);
    expect([exit === 0, stdout.length]).toEqual([false, 0]);
    expect(stderr).toContain(text);
  }
});

test('A cut or changed object, a changed header or another name opens nothing and leaves no file', async () => {
  using cli = cliFolder();
  const made = await makeObject(cli, 'single');
  const { bytes } = sealBody(made, plaintextOf(200_000));
  const open = (name: string): Promise<{ exit: number; stderr: string }> =>
    cli.run('open', 'object', 'stored', '--object', name, '--head', 'head.json', '--out', 'plain');
  const expectRefused = async (code: string, name = 's3://bucket/a key'): Promise<void> => {
    const { exit, stderr } = await open(name);
    expect(exit).not.toBe(0);
    expect(stderr).toContain(code);
    expect(readdirSync(cli.folder).filter((file) => file.startsWith('plain'))).toEqual([]);
  };
  writeHead(cli, made.envelope);
  writeFileSync(cli.path('stored'), bytes.subarray(0, bytes.length - 1));
  await expectRefused('ERR_ENVELOPE_OPEN_FAILED');
  writeFileSync(cli.path('stored'), bytes);
  await expectRefused('ERR_KEYS_CIPHERTEXT_INVALID', 's3://bucket/another');
  writeHead(cli, made.envelope, 'text/html');
  await expectRefused('ERR_ENVELOPE_OPEN_FAILED');
  writeHead(cli, made.envelope);
  expect((await open('s3://bucket/a key')).exit).toBe(0);
  expect((await open('s3://bucket/a key')).stderr).toContain('ERR_CLI_EXISTS');
});

test('Files beside the one asked for are left as they are, and one that exists is told before anything is read', async () => {
  using cli = cliFolder();
  const made = await makeObject(cli, 'single');
  const plaintext = plaintextOf(1000);
  writeFileSync(cli.path('stored'), sealBody(made, plaintext).bytes);
  writeFileSync(cli.path('plain.partial'), 'of somebody else');
  const open = (out: string): Promise<{ exit: number; stderr: string }> =>
    cli.run('open', 'object', 'stored', '--object', 's3://bucket/a key', '--envelope', made.envelope, '--out', out);
  const before = readdirSync(cli.folder).length;
  expect((await open('plain')).exit).toBe(0);
  expect(readFileSync(cli.path('plain'))).toEqual(Buffer.from(plaintext));
  expect(readFileSync(cli.path('plain.partial'), 'utf8')).toBe('of somebody else');
  rmSync(cli.path('stored'));
  expect((await open('plain')).stderr).toContain('ERR_CLI_EXISTS');
  expect((await open('no/such/folder')).stderr).toContain('ERR_CLI_WRITE');
  expect(readdirSync(cli.folder)).toHaveLength(before);
});

describe('as a process', () => {
  /** A large object on the disk, and the command line that opens it. */
  async function large(cli: CliFolder): Promise<readonly string[]> {
    const made = await makeObject(cli, 'single');
    writeFileSync(cli.path('stored'), sealBody(made, plaintextOf(64 * 1024 * 1024)).bytes);
    return ['open', 'object', 'stored', '--object', 's3://bucket/a key', '--envelope', made.envelope];
  }

  test('A full disk behind stdout is an error, not a quiet end', { skip: process.platform !== 'linux' }, async () => {
    using cli = cliFolder();
    const words = await large(cli);
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, ...words], { cwd: cli.folder, stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number];
    expect([code, stderr]).toEqual([1, expect.stringContaining('ERR_CLI_WRITE stdout cannot be written: ENOSPC')]);
  });

  test('A reader that goes away (`| head -c`) ends it without a word', async () => {
    using cli = cliFolder();
    const { child, done } = sealgate(await large(cli), { cwd: cli.folder });
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    expect((await done).stderr).toBe('');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it, says so by its exit code, and leaves no file',
    async (signal) => {
      using cli = cliFolder();
      const words = await large(cli);
      // A pipe that nobody empties: it waits there, in the middle of its work.
      const waiting = spawn(process.execPath, [MAIN, ...words], { cwd: cli.folder, stdio: ['ignore', 'pipe', 'pipe'] });
      await once(waiting.stdout, 'readable');
      waiting.kill(signal);
      const [code] = (await once(waiting, 'exit')) as [number];
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      const writing = sealgate([...words, '--out', 'plain'], { cwd: cli.folder });
      await expect.poll(() => readdirSync(cli.folder).some((name) => name.startsWith('plain'))).toBe(true);
      writing.child.kill(signal);
      await writing.done;
      const left = readdirSync(cli.folder).filter((name) => name.startsWith('plain'));
      // Signalled when it was done already, or before.
      expect(left.filter((name) => name !== 'plain')).toEqual([]);
      expect((await cli.run('keys', 'list')).exit).toBe(0);
    },
  );
});

test.each([
  ['numeric(10,2)', '12.50'],
  ['timestamptz', '2026-11-24 01:02:03+00'],
  ['text', 'naïve'],
])('A sealed value of type %s opens from escrow and prints as %s', async (typeName, text) => {
  using cli = cliFolder();
  const sealed = await withStore(cli, async (keys) => {
    const { keyId } = await keys.createKey({}, use);
    const dekId = random(16);
    const column = 'ab'.repeat(16);
    const context = dekContext('00', { type: 'column', id: column }, Buffer.from(dekId).toString('hex'), 1);
    const { dek, wrapped } = await keys.generateDataKey({ keyId, context }, use);
    await keys.escrow({ dekId, owner: 'postgres/app', wrapped, context }, use);
    const zones = { zone: () => ({ offsetAt: () => 0, offsetForLocal: () => 0 }) };
    const settings = { timeZone: 'UTC', dateStyle: 'ISO, MDY', clientEncoding: 'UTF8' };
    const plaintext = readValue(Buffer.from(text), 'text', {
      type: parseLogicalType(typeName),
      purpose: 'store',
      settings,
      zones,
    });
    return sealValue({ dek, dekId, aad: Buffer.from(column, 'hex'), plaintext, mode: 'randomized' }, random);
  });
  writeFileSync(cli.path('value'), `\\x${Buffer.from(sealed).toString('hex')}\n`);
  const opened = await cli.run('open', 'value', '@value', '--type', typeName);
  expect([opened.exit, opened.stderr, opened.stdout.toString()]).toEqual([0, '', `${text}\n`]);
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
  expect((await cli.run('open', 'value', Buffer.from(sealed).toString('hex'))).stderr).toContain(
    'ERR_ENVELOPE_OPEN_FAILED',
  );
});

test('What is no value, names no known key, or is no file is told apart', async () => {
  using cli = cliFolder();
  await withStore(cli, async () => undefined);
  const stranger = `f5534756${'0100'}${'00'.repeat(16 + 40)}`;
  expect((await cli.run('open', 'value', stranger)).stderr).toContain('ERR_KEYS_NOT_FOUND');
  expect((await cli.run('open', 'value', 'zz')).stderr).toContain('ERR_CLI_USAGE');
  expect((await cli.run('open', 'value', '00')).stderr).toContain('ERR_ENVELOPE_MALFORMED');
  expect((await cli.run('open', 'value', '@missing')).stderr).toMatch(/ERR_CLI_READ .*missing cannot be read: ENOENT/u);
  expect((await cli.run('open', 'object', 'x', '--object', 's3://b/k')).stderr).toContain('ERR_CLI_USAGE');
  const headless = await cli.run('open', 'object', 'x', '--object', 's3://b/k', '--head', 'missing');
  expect(headless.stderr).toMatch(/ERR_CLI_READ missing cannot be read: ENOENT/u);
});
