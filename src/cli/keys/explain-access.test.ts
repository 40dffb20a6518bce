import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';
import { TEST_USE, testPorts } from '../../../test/support/keys/keys.ts';
import { openKeyManager } from '../../keys/key-manager.ts';
import type { KeyManagerOptions } from '../../keys/options.ts';

const cli = cliFolder();
const storeOptions: KeyManagerOptions = {
  storePath: cli.path('sealgate-keys.sqlite'),
  unseal: [{ type: 'key-file', path: cli.path('root.key') }],
  region: 'us-east-1',
  account: '000000000000',
  audit: { path: cli.path('sealgate-audit.jsonl'), durability: 'write' },
};

const allowing = (actions: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 'Some', Effect: 'Allow', Action: JSON.parse(actions) as unknown, Resource: '*' }],
  });

beforeAll(async () => {
  expect((await cli.run('init')).exit).toBe(0);
  expect((await cli.run('keys', 'create', '--alias', 'objects')).exit).toBe(0);
  writeFileSync(cli.path('read.json'), allowing('["kms:Decrypt"]'));
  const access = `  access:
    identities:
      - { principal: "arn:aws:iam::000000000000:user/reports", policies: [{ name: read, file: ./read.json }] }
      - { postgresRole: { database: shop, role: analyst }, policies: [] }
`;
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^observe:/mu, `${access}observe:`));
});

afterAll(() => cli[Symbol.dispose]());

const explain = async (...words: readonly string[]): Promise<{ exit: number; text: string; stderr: string }> => {
  const { exit, stdout, stderr } = await cli.run('keys', 'explain-access', 'alias/objects', ...words);
  return { exit, text: stdout.toString(), stderr };
};

test('what allows it is named, with the statements that were consulted', async () => {
  const { exit, text } = await explain('--action', 'Decrypt', '--client', 'reports');
  expect(exit).toBe(0);
  expect(text).toMatch(/^arn:aws:iam::000000000000:user\/reports may kms:Decrypt with arn:aws:kms:/u);
  expect(text).toMatch(/^allow +.*read.*"Some" +speaks of this request$/mu);
});

test('what is missing is said, and the exit code is 1', async () => {
  const { exit, text } = await explain('--action', 'GenerateDataKey', '--client', 'reports');
  expect(exit).toBe(1);
  expect(text).toContain('user/reports may not kms:GenerateDataKey with');
  expect(text).toMatch(/^missing {5}\S/mu);
  expect(text).toMatch(/^- +.*"Some" +does not speak of kms:GenerateDataKey$/mu);
});

test('an action is found in any case, and one that KMS does not have is no answer', async () => {
  expect(await explain('--action', 'KMS:decrypt', '--client', 'reports')).toMatchObject({
    exit: 0,
    text: expect.stringContaining('may kms:Decrypt with'),
  });
  for (const [action, hint] of [
    ['Decyrpt', 'did you mean Decrypt?'],
    ['ReEncrypt', 'ReEncryptFrom'],
    ['PutObject', 'no action of this name'],
  ] as const) {
    const { exit, text, stderr } = await explain('--action', action, '--client', 'reports');
    expect([action, exit, text]).toEqual([action, 2, '']);
    expect(stderr).toContain('ERR_CLI_USAGE');
    expect(stderr).toContain(hint);
  }
});

test('a role is its ARN, and comes through the proxy', async () => {
  const listed = await explain('--action', 'kms:Decrypt', '--role', 'shop/analyst');
  expect(listed).toMatchObject({ exit: 1, text: expect.stringContaining('user/postgres/shop/analyst may not') });
  // Who is not listed may use keys through the proxy, and nowhere else.
  expect(await explain('--action', 'Decrypt', '--role', 'shop/other')).toMatchObject({ exit: 0 });
  expect(await explain('--action', 'Decrypt', '--role', 'shop/other', '--via', 'kms')).toMatchObject({ exit: 1 });
});

test('grants are consulted, with their constraints', async () => {
  const manager = await openKeyManager(storeOptions, testPorts);
  const [key] = await manager.listKeys(TEST_USE);
  const grantee = 'arn:aws:iam::000000000000:user/bob';
  const asked = { keyId: key?.keyId ?? '', grantee, operations: ['Decrypt'], constraints: { subset: { a: 'b' } } };
  const { grantId } = await manager.grants.create(asked, TEST_USE);
  await manager.close();
  const covered = await explain(
    '--action',
    'Decrypt',
    '--principal',
    grantee,
    '--context',
    'a=b',
    '--context',
    'c=d',
    '--json',
  );
  expect([covered.exit, JSON.parse(covered.text)]).toMatchObject([
    0,
    { allowed: true, missing: [], grants: [{ grantId, matches: true }] },
  ]);
  const bare = await explain('--action', 'Decrypt', '--principal', grantee);
  expect(bare).toMatchObject({ exit: 1, text: expect.stringContaining('does not cover this encryption context') });
});

test('a service is asked about by what it says it asks for', async () => {
  const service = 'backup.example.com';
  const source = 'arn:aws:dynamodb:us-east-1:000000000000:table/one';
  const manager = await openKeyManager(storeOptions, testPorts);
  const [key] = await manager.listKeys(TEST_USE);
  const constraints = { sourceArn: source };
  const parties = { grantee: { service }, retiring: { service } };
  await manager.grants.create({ keyId: key?.keyId ?? '', ...parties, operations: ['Decrypt'], constraints }, TEST_USE);
  await manager.close();
  const asked = ['--action', 'Decrypt', '--principal', service];
  expect(await explain(...asked, '--source-arn', source)).toMatchObject({
    exit: 0,
    text: expect.stringContaining(`${service} may kms:Decrypt with`),
  });
  for (const given of [[], ['--source-arn', `${source}2`], ['--source-account', '000000000000']]) {
    const { exit, text } = await explain(...asked, ...given);
    expect([given, exit, text]).toEqual([given, 1, expect.stringContaining('on behalf of another resource alone')]);
  }
});

test('what every such request says is asked along, and what else it says can be given', async () => {
  const manager = await openKeyManager(storeOptions, testPorts);
  const statement = (Effect: string, Action: string, Condition: object) => ({
    ...{ Effect, Action, Condition, Resource: '*' },
    Principal: { AWS: 'arn:aws:iam::000000000000:user/cond' },
  });
  const Statement = [
    statement('Allow', 'kms:*', { Bool: { 'aws:SecureTransport': 'true' } }),
    statement('Deny', 'kms:Decrypt', { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } }),
    statement('Deny', 'kms:ReEncryptTo', { StringEquals: { 'kms:ReEncryptOnSameKey': 'true' } }),
    statement('Deny', 'kms:Encrypt', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }),
    statement('Deny', 'kms:CreateGrant', { 'ForAnyValue:StringEquals': { 'kms:GrantOperations': 'Decrypt' } }),
  ];
  const { keyId } = await manager.createKey({ alias: 'alias/cond' }, TEST_USE);
  await manager.settings.putPolicy({ keyId, policy: JSON.stringify({ Version: '2012-10-17', Statement }) }, TEST_USE);
  await manager.close();
  const ask = async (action: string, ...words: readonly string[]): Promise<number> => {
    const caller = ['--action', action, '--principal', 'arn:aws:iam::000000000000:user/cond'];
    return (await cli.run('keys', 'explain-access', 'alias/cond', ...caller, ...words)).exit;
  };
  expect(await ask('Decrypt')).toBe(1);
  expect(await ask('GenerateDataKey')).toBe(0);
  expect(await ask('GenerateDataKey', '--with', 'aws:SecureTransport=false')).toBe(1);
  expect(await ask('Encrypt', '--with', 'aws:SourceIp=192.0.2.1')).toBe(0);
  expect(await ask('Encrypt', '--with', 'AWS:sourceip=10.1.2.3', '--with', 'aws:UserAgent=x')).toBe(1);
  expect(await ask('ReEncryptTo', '--via', 's3', '--with', 'kms:ReEncryptOnSameKey=true')).toBe(1);
  expect(await ask('ReEncryptTo', '--with', 'kms:ReEncryptOnSameKey=false')).toBe(0);
  expect(await ask('ReEncryptTo', '--with', 'kms:reencryptonsamekey=true')).toBe(1);
  const operations = ['--with', 'kms:GrantOperations=Decrypt', '--with', 'kms:GrantOperations=Encrypt'];
  expect(await ask('CreateGrant', ...operations.slice(2))).toBe(0);
  expect(await ask('CreateGrant', ...operations)).toBe(1);
});

test('whether a request of the KMS API comes over TLS is as its listener has it', async () => {
  const path = cli.path('sealgate.yaml');
  const kept = readFileSync(path, 'utf8');
  const principal = 'arn:aws:iam::000000000000:user/tls';
  const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*', Principal: { AWS: principal } };
  const Statement = [{ ...statement, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }];
  const manager = await openKeyManager(storeOptions, testPorts);
  const { keyId } = await manager.createKey({}, TEST_USE);
  await manager.settings.putPolicy({ keyId, policy: JSON.stringify({ Version: '2012-10-17', Statement }) }, TEST_USE);
  await manager.close();
  const ask = async (via: string): Promise<number> => {
    const words = ['--action', 'Decrypt', '--principal', principal, '--via', via];
    return (await cli.run('keys', 'explain-access', keyId, ...words)).exit;
  };
  // Nothing that the section names is there: a question about keys needs none of it.
  const clients = 'clients: [{ name: app, accessKeyId: APP, secretAccessKey: "${NOPE}" }]';
  const tls = 'tls: { certFile: ./none.crt, keyFile: ./none.key }';
  try {
    expect([await ask('kms'), await ask('s3')]).toEqual([0, 0]);
    writeFileSync(path, `${kept}\nkms: { listen: { host: 127.0.0.1, port: 8443 }, ${clients} }\n`);
    expect([await ask('kms'), await ask('s3'), await ask('postgres')]).toEqual([1, 0, 0]);
    writeFileSync(path, `${kept}\nkms: { listen: { host: 0.0.0.0, port: 8443, allowPlaintext: true }, ${clients} }\n`);
    expect([await ask('kms'), await ask('s3')]).toEqual([1, 0]);
    writeFileSync(path, `${kept}\nkms: { listen: { port: 8443, ${tls} }, ${clients} }\n`);
    expect([await ask('kms'), await ask('s3')]).toEqual([0, 0]);
  } finally {
    writeFileSync(path, kept);
  }
});

test.each([
  [['--client', 'a']],
  [['--action', 'Decrypt']],
  [['--action', 'Decrypt', '--client', 'a', '--principal', 'b']],
  [['--action', 'Decrypt', '--role', 'shop']],
  [['--action', 'Decrypt', '--client', 'a', '--via', 'door']],
  [['--action', 'Decrypt', '--client', 'a', '--context', 'x']],
  [['--action', 'De crypt', '--client', 'a']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'kms:KeyColour=red']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'aws:SecureTransport=perhaps']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'aws:SourceIp']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'aws:RequestTag/a=b']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'aws:TagKeys=a']],
  [['--action', 'Decrypt', '--client', 'reports', '--with', 'aws:MultiFactorAuthPresent=true']],
  [['--action', 'Decrypt', '--client', 'a', '--source-arn', 'arn:aws:dynamodb:us-east-1:000000000000:table/t']],
  [['--action', 'Decrypt', '--principal', 'arn:aws:iam::000000000000:user/a', '--source-account', '000000000000']],
])('%j is not understood', async (words) => {
  expect(await explain(...words)).toMatchObject({ exit: 2, stderr: expect.stringContaining('ERR_CLI_USAGE') });
});

test.each([
  [['--client', 'reports', '--via', 's3'], 'aws:SourceIp=192.0.2.1'],
  [['--client', 'reports', '--via', 's3'], 'aws:SecureTransport=false'],
  [['--client', 'reports', '--via', 'postgres'], 'AWS:useragent=psql'],
  [['--role', 'shop/analyst'], 'aws:SecureTransport=true'],
])('of %j keys see no connection, so %s is not asked about', async (caller, fact) => {
  const { exit, text, stderr } = await explain('--action', 'Decrypt', ...caller, '--with', fact);
  expect([exit, text]).toEqual([2, '']);
  expect(stderr).toContain('ERR_CLI_USAGE');
  expect(stderr).toMatch(/--via (?:s3|postgres) has no connection/u);
});

test('the help says which facts can be given, and which cannot', async () => {
  const help = (await cli.run('keys', 'explain-access', '--help')).stdout.toString().replaceAll(/\s+/gu, ' ');
  expect(help).toContain(
    '--with takes kms:<parameter>, and of the KMS API aws:SourceIp, aws:UserAgent, aws:SecureTransport',
  );
  expect(help).toContain(
    'aws:RequestTag/…, aws:TagKeys and aws:MultiFactorAuthPresent cannot be given and count as absent',
  );
});

test('a key that is not there is an error, not a refusal', async () => {
  const { exit, stderr } = await cli.run(
    'keys',
    'explain-access',
    'alias/none',
    '--action',
    'Decrypt',
    '--client',
    'a',
  );
  expect([exit, stderr]).toEqual([5, expect.stringContaining('ERR_KEYS_NOT_FOUND')]);
});
