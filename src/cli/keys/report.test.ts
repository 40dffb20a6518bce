import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';
import { TEST_USE, testPorts } from '../../../test/support/keys/keys.ts';
import { openKeyManager } from '../../keys/key-manager.ts';
import { DAY_MS } from '../../keys/limits.ts';
import type { KeyReport } from '../../keys/admin/key-report.ts';

const cli = cliFolder();
const options = {
  storePath: cli.path('sealgate-keys.sqlite'),
  unseal: [{ type: 'key-file', path: cli.path('root.key') }],
  region: 'us-east-1',
  account: '000000000000',
  audit: { path: cli.path('sealgate-audit.jsonl'), durability: 'write' },
} as const;
const reports = 'arn:aws:iam::000000000000:user/reports';

beforeAll(async () => {
  expect((await cli.run('init')).exit).toBe(0);
  const read = { Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' } };
  writeFileSync(cli.path('read.json'), JSON.stringify(read));
  const access = `  access:
    identities:
      - { principal: "${reports}", policies: [{ name: read, file: ./read.json }] }
`;
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^observe:/mu, `${access}observe:`));
  const manager = await openKeyManager(options, testPorts);
  const { keyId } = await manager.createKey({ alias: 'alias/objects' }, TEST_USE);
  await manager.lifecycle.enableRotation({ keyId, periodDays: 365 }, TEST_USE);
  await manager.createKey({ alias: 'alias/signs', spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' }, TEST_USE);
  const grantee = 'arn:aws:iam::444455556666:user/bob';
  const constraints = { subset: { a: 'b' } };
  await manager.grants.create({ keyId, grantee, operations: ['Decrypt'], constraints }, TEST_USE);
  await manager.materials.suspend({ keyId, reason: 'looked into' }, TEST_USE);
  await manager.close();
});

afterAll(() => cli[Symbol.dispose]());

async function report(): Promise<KeyReport> {
  const { exit, stdout, stderr } = await cli.run('keys', 'report', '--json');
  expect([exit, stderr]).toEqual([0, '']);
  // The command's own output.
  return JSON.parse(stdout.toString()) as KeyReport;
}

const keyOf = ({ keys }: KeyReport, alias: string): KeyReport['keys'][number] | undefined =>
  keys.find(({ aliases }) => aliases.includes(alias));

test('Each key stands with its states, what is due, the rules that name it, who may use it, and its grants', async () => {
  const key = keyOf(await report(), 'alias/objects');
  expect(key).toMatchObject({
    state: 'disabled',
    materials: [{ state: 'suspended', history: [{ to: 'active' }, { to: 'suspended', reason: 'looked into' }] }],
    due: [
      { what: 'rotation', at: expect.stringMatching(/^\d{4}-/u) as string },
      { what: 'end of originator period', material: 1 },
      { what: 'end of recipient period', material: 1 },
    ],
    grants: [{ grantee: 'arn:aws:iam::444455556666:user/bob', operations: ['Decrypt'], constrained: true }],
  });
  expect(key?.users.find(({ principal }) => principal === reports)).toEqual({
    principal: reports,
    protect: [],
    process: ['kms', 's3', 'postgres'],
  });
  // Who is not listed may use keys through the gateway and the proxy alone.
  const unlisted = { principal: '*', protect: ['s3', 'postgres'], process: ['s3', 'postgres'] };
  expect(key?.users.find(({ principal }) => principal === '*')).toEqual(unlisted);
});

test('What it says of who may is what explain-access says', async () => {
  const { keys } = await report();
  for (const { keyId, users, usage } of keys) {
    const sign = usage === 'SIGN_VERIFY';
    const words = { protect: sign ? 'Sign' : 'GenerateDataKey', process: sign ? 'Verify' : 'Decrypt' };
    for (const purpose of ['protect', 'process'] as const)
      for (const via of ['kms', 's3', 'postgres'] as const) {
        const asked = ['--action', words[purpose], '--principal', reports, '--via', via];
        const { exit } = await cli.run('keys', 'explain-access', keyId, ...asked);
        const told = users.find(({ principal }) => principal === reports)?.[purpose] ?? [];
        expect([purpose, via, exit]).toEqual([purpose, via, told.includes(via) ? 0 : 1]);
      }
  }
});

test('The table says the same, and works beside a running owner; nothing is recorded', async () => {
  const owner = await openKeyManager(options, testPorts);
  try {
    const before = readFileSync(options.audit.path);
    const { exit, stdout } = await cli.run('keys', 'report');
    expect(exit).toBe(0);
    const text = stdout.toString();
    expect(text).toMatch(/^material +1 +suspended since \S+: looked into$/mu);
    expect(text).toMatch(/^kind +ECC_NIST_P256 for SIGN_VERIFY, 128 bits of strength$/mu);
    expect(text).toMatch(/^algorithm +ECDSA_SHA_256 +protect acceptable, process acceptable$/mu);
    expect(text).toMatch(/^grant +arn:aws:iam::444455556666:user\/bob +Decrypt +for some encryption contexts$/mu);
    expect(text).toMatch(/^users +\* \(not listed\) +protects: s3, postgres; processes: s3, postgres$/mu);
    expect(readFileSync(options.audit.path)).toEqual(before);
  } finally {
    await owner.close();
  }
});

test('Rules stand at the key they name, by whatever name, and one that is not here is told', async () => {
  const { keyId } = keyOf(await report(), 'alias/objects') ?? { keyId: '' };
  const path = cli.path('sealgate.yaml');
  const kept = readFileSync(path, 'utf8');
  const s3 = `
s3:
  listen: { host: 127.0.0.1, port: 9000 }
  upstream: { endpoint: "http://127.0.0.1:9", credentials: { type: static, accessKeyId: KEYID, secretAccessKey: b } }
  clients: [{ name: web, accessKeyId: WEB, secretAccessKey: web-secret-of-a-test }]
  buckets:
    - { bucket: one, seal: alias/objects }
    - { bucket: two, prefix: in/, seal: ${keyId} }
    - { bucket: gone, seal: alias/gone }
    - { bucket: plain, pass: true }
postgres:
  listen: { host: 127.0.0.1, port: 6432 }
  upstream: { host: 127.0.0.1, port: 5432, tls: { mode: disable } }
  databases: [{ name: app, service: { user: sealgate, password: p } }]
  columns: [{ column: app.public.customers.notes, type: text, key: alias/objects }]
`;
  writeFileSync(path, `${kept}${s3}`);
  try {
    const seen = await report();
    expect(keyOf(seen, 'alias/objects')?.protects).toEqual([
      'bucket one',
      'bucket two, keys in/*',
      'column app.public.customers.notes',
    ]);
    expect(keyOf(seen, 'alias/signs')?.protects).toEqual([]);
    expect(seen.missing).toEqual([{ what: 'bucket gone', keyId: 'alias/gone' }]);
    const users = keyOf(seen, 'alias/objects')?.users.map(({ principal }) => principal);
    expect(users).toContain('arn:aws:iam::000000000000:user/web');
  } finally {
    writeFileSync(path, kept);
  }
});

test('Terms stand at each key with the operator’s reason, and what of its limits is used, also beside its owner', async () => {
  const path = cli.path('sealgate.yaml');
  const kept = readFileSync(path, 'utf8');
  const rule =
    '{ types: [authentication], profile: nist, originatorDays: 400, maxOperations: 50, reason: contract 12 }';
  writeFileSync(path, kept.replace(/^observe:/mu, `  life:\n    rules:\n      - ${rule}\nobserve:`));
  try {
    const owner = await openKeyManager(options, testPorts);
    const { keyId } = await owner.createKey({ alias: 'alias/macs', spec: 'HMAC_256' }, TEST_USE);
    const mac = { keyId, message: Buffer.from('four'), algorithm: 'HMAC_SHA_256' } as const;
    for (let times = 0; times < 3; times++) await owner.macs.generate(mac, TEST_USE);
    const seen = await report();
    await owner.close();
    expect(keyOf(seen, 'alias/macs')).toMatchObject({
      life: { profile: 'nist', originatorDays: 400, maxOperations: 50, rule: { number: 1, reason: 'contract 12' } },
      used: [{ material: 1, operations: 3, bytes: 12, missing: 0 }],
    });
    expect(keyOf(seen, 'alias/objects')).toMatchObject({ life: { profile: 'aws', originatorDays: 730 }, used: [] });
    expect(keyOf(seen, 'alias/objects')?.life.rule).toBeUndefined();
    const text = (await cli.run('keys', 'report')).stdout.toString();
    expect(text).toMatch(/^reason +contract 12 \(rule 1 of keys\.life\)$/mu);
    expect(text).toMatch(/^used +material 1 +3 of 50 operations, 12 bytes$/mu);
    expect(text).toMatch(
      /^life +profile nist: protects for 400 days, processes for 1825 days; then rotates or refuses/mu,
    );
    expect(text).toMatch(
      /^life +profile aws: protects for 1095 days, processes without end; then warns; warns of weak wrapping$/mu,
    );
  } finally {
    writeFileSync(path, kept);
  }
});

test('A key that was destroyed stays listed, with what became of its material', async () => {
  const before = await openKeyManager(options, { ...testPorts, now: () => Date.now() - 8 * DAY_MS });
  const { keyId, arn } = await before.createKey({}, TEST_USE);
  await before.lifecycle.scheduleDeletion({ keyId, days: 7 }, TEST_USE);
  await before.close();
  const manager = await openKeyManager(options, testPorts);
  expect((await manager.runDue({ destroy: true })).destroyed).toEqual([arn]);
  await manager.close();
  const { exit, stdout } = await cli.run('keys', 'report');
  expect(exit).toBe(0);
  const [, told = ''] = stdout.toString().split(arn);
  expect(told).toMatch(/^kind +SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT$/mu);
  expect(told).toMatch(/^state +destroyed since \d{4}-/mu);
  expect(told).toMatch(/^material +1 {2}destroyed since \d{4}-\S+: deleted$/mu);
});

test('Conditions on what every such request says are decided by it', async () => {
  const manager = await openKeyManager(options, testPorts);
  const limited = async (alias: string, make: object, Condition: object): Promise<void> => {
    const { keyId } = await manager.createKey({ alias, ...make }, TEST_USE);
    const statement = { Principal: { AWS: reports }, Action: 'kms:*', Resource: '*' };
    const Statement = [
      { ...statement, Effect: 'Allow', Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
      { ...statement, Effect: 'Deny', Condition },
    ];
    await manager.settings.putPolicy({ keyId, policy: JSON.stringify({ Statement }) }, TEST_USE);
  };
  const pair = { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' };
  await limited('alias/denied', {}, { StringEquals: { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' } });
  await limited('alias/raw', pair, { StringNotEquals: { 'kms:MessageType': 'RAW' } });
  await limited('alias/others', pair, { StringNotEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } });
  await manager.close();
  const users = async (alias: string): Promise<unknown> => keyOf(await report(), alias)?.users;
  expect(await users('alias/denied')).toEqual([]);
  const all = ['kms', 's3', 'postgres'];
  for (const alias of ['alias/raw', 'alias/others'])
    expect([alias, await users(alias)]).toEqual([alias, [{ principal: reports, protect: all, process: all }]]);
  const path = cli.path('sealgate.yaml');
  const kept = readFileSync(path, 'utf8');
  const clients = 'clients: [{ name: app, accessKeyId: APP, secretAccessKey: secret-of-a-test }]';
  writeFileSync(path, `${kept}\nkms: { listen: { host: 127.0.0.1, port: 8443 }, ${clients} }\n`);
  try {
    // What reaches this listener does not come over TLS; what the gateway and the proxy ask crosses no network.
    const within = ['s3', 'postgres'];
    expect(await users('alias/raw')).toEqual([{ principal: reports, protect: within, process: within }]);
  } finally {
    writeFileSync(path, kept);
  }
});
