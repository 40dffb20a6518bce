import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';

const cli = cliFolder();
const OPS = 'arn:aws:iam::000000000000:role/ops';
const clientsOf = (...clients: readonly object[]): string =>
  JSON.stringify(
    clients.map((client, at) => ({ accessKeyId: `KEY${at}`, secretAccessKey: 's'.repeat(20), ...client })),
  );

beforeAll(async () => {
  expect((await cli.run('init')).exit).toBe(0);
  expect((await cli.run('keys', 'create', '--alias', 'objects')).exit).toBe(0);
  const statement = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' };
  const document = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
keys:
  store: ./sealgate-keys.sqlite
  unseal: [{ type: keyFile, path: ./root.key }]
  audit: { file: ./sealgate-audit.jsonl }
  access: { identities: [{ principal: "${OPS}", policies: [{ name: decrypt, document: ${document} }] }] }
kms:
  listen: { host: 127.0.0.1, port: 8443 }
  clients: ${clientsOf({ name: 'ops', principal: OPS }, { name: 'backup', principal: 'backup.example.com' }, { name: 'two' }, { name: 'two', principal: OPS })}
s3:
  listen: { host: 127.0.0.1, port: 9000 }
  upstream: { endpoint: "http://127.0.0.1:1", region: us-east-1, credentials: { type: static, accessKeyId: A, secretAccessKey: b } }
  clients: ${clientsOf({ name: 'ops' }, { name: 'app' })}
  buckets: [{ bucket: "*", seal: alias/objects }]
`,
  );
});

afterAll(() => cli[Symbol.dispose]());

const explain = (...words: readonly string[]) =>
  cli.run('keys', 'explain-access', 'alias/objects', '--action', 'Decrypt', ...words);

test('a client is asked about as whom the config says it stands for, by the door that it comes by', async () => {
  for (const [words, who, exit] of [
    [['--client', 'ops'], `${OPS} may `, 0],
    [['--client', 'ops', '--via', 's3'], 'arn:aws:iam::000000000000:user/ops may ', 0],
    [['--client', 'backup'], 'backup.example.com may not ', 1],
    [['--client', 'app'], 'arn:aws:iam::000000000000:user/app may not ', 1],
  ] as const) {
    const answer = await explain(...words);
    expect([words, answer.exit, answer.stdout.toString().slice(0, who.length)]).toEqual([words, exit, who]);
  }
});

test('a client that the config does not have, or that stands for several, is no answer', async () => {
  for (const [name, hint] of [
    ['opps', 'the config has no client opps'],
    ['two', `arn:aws:iam::000000000000:user/two, ${OPS}`],
  ] as const) {
    const { exit, stdout, stderr } = await explain('--client', name);
    expect([exit, stdout.toString()]).toEqual([2, '']);
    expect(stderr).toContain('ERR_CLI_USAGE');
    expect(stderr).toContain(hint);
  }
});
