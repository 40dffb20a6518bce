/** `sealgate up` as a process: what it prints, answers and leaves when it is told to stop. */
import { createServer, connect } from 'node:net';
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cliFolder, type CliFolder } from '../../test/support/cli.ts';
import { CALLER, send, signKms, type KmsAnswer } from '../../test/support/kms/edge.ts';
import { sealgate, type Program } from '../../test/support/run.ts';
import { describeListener } from './up.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

async function ready(cli: CliFolder, port = 0): Promise<void> {
  expect((await cli.run('init')).exit).toBe(0);
  const text = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), text.replace('port: 9090', `port: ${port}`));
}

async function startUp(cli: CliFolder): Promise<{ program: Program; url: string }> {
  const program = sealgate(['up'], { cwd: cli.folder });
  let said = '';
  program.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await program.untilSays('\n');
  return { program, url: /http:\S+/u.exec(said)?.[0] ?? '' };
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends it in order: exit code 0, logs are JSON lines, the store is free again',
  async (signal) => {
    using cli = cliFolder();
    await ready(cli);
    const { program, url } = await startUp(cli);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
      ready: true,
      checks: [{ name: 'keys', ready: true }],
    });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('sealgate_key_uses_total');
    expect((await cli.run('keys', 'create')).stderr).toContain('ERR_KEYS_STORE_IN_USE');
    // A client that keeps its connection open does not keep the process alive.
    const idle = connect(Number(new URL(url).port), '127.0.0.1');
    await once(idle, 'connect');
    program.child.kill(signal);
    const { code, stderr } = await program.done;
    idle.destroy();
    expect(code).toBe(0);
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ message }) => message)).toEqual(['listening', 'stopping', 'stopped'].slice(-lines.length));
    expect((await cli.run('keys', 'create')).exit).toBe(0);
  },
);

test('A taken port is an error with exit code 1, and the store is free again', async () => {
  using cli = cliFolder();
  const squatter = createServer().listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  await ready(cli, typeof address === 'object' ? (address?.port ?? 0) : 0);
  const { code, stdout, stderr } = await sealgate(['up'], { cwd: cli.folder }).done;
  squatter.close();
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('ERR_CLI_LISTEN');
  expect((await cli.run('keys', 'create')).exit).toBe(0);
});

test.each([
  [
    's3',
    `s3:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { endpoint: 'http://127.0.0.1:9', region: us-east-1, credentials: { type: static, accessKeyId: A, secretAccessKey: secret-of-a } }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: secret-of-app }]
  buckets: [{ bucket: documents, prefix: in/, seal: alias/misspelt }]
`,
    'bucket documents, prefix in/',
  ],
  [
    'postgres',
    `postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: 127.0.0.1, port: 9, tls: { mode: disable } }
  databases: [{ name: shop, service: { user: sealgate, password: secret-of-sealgate } }]
  columns: [{ column: shop.public.orders.card, type: text, key: alias/misspelt }]
`,
    'column shop.public.orders.card',
  ],
])('A key that is not there is told with the rule that names it: %s', async (_section, text, rule) => {
  using cli = cliFolder();
  await ready(cli);
  appendFileSync(cli.path('sealgate.yaml'), text);
  const { code, stderr } = await sealgate(['up'], { cwd: cli.folder }).done;
  expect(stderr).toContain('ERR_KEYS_NOT_FOUND');
  expect(stderr).toMatch(new RegExp(`\\(alias/misspelt, named by ${rule}\\)`, 'u'));
  expect(code).toBe(5);
});

test('No signal makes it listen for a debugger, which would show its keys to every user of the machine', async () => {
  using cli = cliFolder();
  await ready(cli);
  const { program, url } = await startUp(cli);
  program.child.kill('SIGUSR1');
  for (let asked = 0; asked < 20; asked += 1) await (await fetch(`${url}/metrics`)).text();
  program.child.kill('SIGTERM');
  const { code, stderr } = await program.done;
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/debugger|inspector/iu)]);
});

test('Killed, it leaves a store that the next start takes over', async () => {
  using cli = cliFolder();
  await ready(cli);
  const { program } = await startUp(cli);
  program.child.kill('SIGKILL');
  await program.done;
  expect((await cli.run('keys', 'create')).exit).toBe(0);
  expect((await cli.run('audit', 'verify')).exit).toBe(0);
});

test('Audit sinks get every record, the last included', async () => {
  using cli = cliFolder();
  await ready(cli);
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  const sinks = 'durability: write, sinks: [{ type: file, name: copy, path: copy.jsonl, required: true }]';
  writeFileSync(cli.path('sealgate.yaml'), config.replace('durability: write', sinks));
  expect((await cli.run('keys', 'create')).exit).toBe(0);
  const { program, url } = await startUp(cli);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('sealgate_audit_sink_waiting_records{sink="copy"}');
  program.child.kill('SIGTERM');
  expect((await program.done).code).toBe(0);
  const read = (name: string): string => readFileSync(cli.path(name), 'utf8');
  expect(read('copy.jsonl')).toBe(read('sealgate-audit.jsonl'));
  expect(read('copy.jsonl')).toContain('"CreateKey"');
});

test('Who decrypts more with a key in a minute than keys.alarm allows is told of in the log, and counted', async () => {
  using cli = cliFolder();
  await ready(cli);
  const policy = { Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' } };
  const sections = `  alarm: { decryptionsPerMinute: 2 }
  access:
    identities: [{ client: app, policies: [{ name: all, document: ${JSON.stringify(policy)} }] }]
kms:
  listen: { port: 0 }
  clients: [{ name: app, accessKeyId: ${CALLER.accessKeyId}, secretAccessKey: ${CALLER.secretAccessKey} }]
`;
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^observe:/mu, `${sections}observe:`));
  expect((await cli.run('keys', 'create', '--alias', 'data')).exit).toBe(0);
  const { program } = await startUp(cli);
  await program.untilSays('observe ');
  const portOf = (name: string): number =>
    Number(new RegExp(`^${name} +http://127.0.0.1:(\\d+)`, 'mu').exec(program.said())?.[1]);
  const port = portOf('kms');
  const ask = async (action: string, input: object): Promise<KmsAnswer> => {
    const body = Buffer.from(JSON.stringify(input));
    return send({ port, tls: false }, signKms(port, body, { action, region: 'us-east-1' }), body);
  };
  const made = await ask('GenerateDataKey', { KeyId: 'alias/data', KeySpec: 'AES_256' });
  const { CiphertextBlob } = made.json ?? {};
  for (let time = 0; time < 4; time += 1) expect((await ask('Decrypt', { CiphertextBlob })).status).toBe(200);
  const labels = `{principal="arn:aws:iam::000000000000:user/app",key="${String(made.json?.['KeyId'])}"}`;
  const counted = await (await fetch(`http://127.0.0.1:${portOf('observe')}/metrics`)).text();
  expect(counted).toContain(`sealgate_decryptions_total${labels} 4`);
  expect(counted).toContain(`sealgate_decryption_alarms_total${labels} 1`);
  program.child.kill('SIGTERM');
  const { stderr } = await program.done;
  expect(stderr.match(/a caller decrypts more with a key/gu)).toHaveLength(1);
});

test('Without any listener there is nothing to run: exit code 3', async () => {
  using cli = cliFolder();
  await ready(cli);
  writeFileSync(cli.path('sealgate.yaml'), 'version: 1\nkeys: { unseal: [{ type: keyFile, path: root.key }] }\n');
  const { code, stderr } = await sealgate(['up'], { cwd: cli.folder }).done;
  expect([code, stderr]).toEqual([3, expect.stringContaining('ERR_CLI_NOTHING_TO_RUN')]);
});

test('A full disk behind stdout is an error with exit code 1', { skip: process.platform !== 'linux' }, async () => {
  using cli = cliFolder();
  await ready(cli);
  const full = openSync('/dev/full', 'w');
  const ended = spawnSync(process.execPath, [MAIN, 'keys', 'create'], {
    cwd: cli.folder,
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  expect([ended.status, ended.stderr.toString()]).toEqual([1, expect.stringContaining('ERR_CLI_WRITE stdout')]);
  expect(JSON.parse((await cli.run('keys', 'list', '--json')).stdout.toString())).toHaveLength(1);
});

test('A reader that went away (`| head`) is no failure', async () => {
  using cli = cliFolder();
  await ready(cli);
  const program = sealgate(['--help'], { cwd: cli.folder });
  program.child.stdout?.destroy();
  expect(await program.done).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  [{ name: 's3', host: '::1', port: 9000, tls: true } as const, 's3        https://[::1]:9000'],
  [{ name: 'postgres', host: '127.0.0.1', port: 6432, tls: false } as const, 'postgres  postgres://127.0.0.1:6432/'],
  [{ name: 'postgres', host: 'db', port: 6432, tls: true } as const, 'postgres  postgres://db:6432/?sslmode=require'],
])('A listener is written as an address to paste: %j', (listener, expected) => {
  expect(describeListener(listener)).toBe(expected);
});
