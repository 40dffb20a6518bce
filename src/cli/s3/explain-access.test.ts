import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';

const cli = cliFolder();

const USER = 'arn:aws:iam::000000000000:user';
const statement = (Sid: string, Action: string, Resource: string, more: object = {}) => ({
  ...{ Sid, Effect: 'Allow', Action, Resource },
  ...more,
});
const STATEMENTS = [
  statement('Keys', 'kms:*', '*'),
  statement('Reads', 's3:GetObject', 'arn:aws:s3:::invoices/*'),
  statement('NotTheirs', 's3:GetObject', 'arn:aws:s3:::invoices/board/*', { Effect: 'Deny' }),
  statement('Lists', 's3:ListBucket', 'arn:aws:s3:::invoices', {
    Condition: { StringLike: { 's3:prefix': '2026/*' } },
  }),
];

beforeAll(async () => {
  expect((await cli.run('init')).exit).toBe(0);
  expect((await cli.run('keys', 'create', '--alias', 'objects')).exit).toBe(0);
  const write = (name: string, Statement: unknown): void =>
    writeFileSync(cli.path(name), JSON.stringify({ Version: '2012-10-17', Statement }));
  write('reports.json', STATEMENTS);
  write('keyless.json', [statement('All', 's3:*', '*')]);
  const near = { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } };
  write('near.json', [statement('All', 's3:*', '*'), statement('Near', 'kms:*', '*', near)]);
  const access = `  access:
    identities:
      - { client: reports, policies: [{ name: own, file: ./reports.json }] }
      - { client: keyless, policies: [{ name: own, file: ./keyless.json }] }
      - { client: near, policies: [{ name: own, file: ./near.json }] }
s3:
  listen: { port: 0 }
  upstream: { endpoint: http://127.0.0.1:1, credentials: { type: static, accessKeyId: u, secretAccessKey: u } }
  clients:
    - { name: reports, accessKeyId: REPORTS, secretAccessKey: s }
    - { name: keyless, accessKeyId: KEYLESS, secretAccessKey: s }
    - { name: near, accessKeyId: NEAR, secretAccessKey: s }
  buckets:
    - { bucket: invoices, seal: alias/objects }
    - { bucket: invoices, prefix: closed/, refuse: true }
    - { bucket: site, pass: true, anonymous: read }
`;
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^observe:/mu, `${access}observe:`));
});

afterAll(() => cli[Symbol.dispose]());

const explain = async (...words: readonly string[]): Promise<{ exit: number; text: string; stderr: string }> => {
  const { exit, stdout, stderr } = await cli.run('s3', 'explain-access', ...words);
  return { exit, text: stdout.toString(), stderr };
};

test('what allows it is named: the rule, the statement and the key', async () => {
  const { exit, text, stderr } = await explain(
    's3://invoices/2026/a.pdf',
    '--action',
    'GetObject',
    '--client',
    'reports',
  );
  expect([exit, stderr]).toEqual([0, '']);
  expect(text).toContain(`${USER}/reports may s3:GetObject on s3://invoices/2026/a.pdf\n`);
  expect(text).toMatch(/^rule +invoices\/ seals under alias\/objects$/mu);
  expect(text).toMatch(/^policies +.*"Reads"/mu);
  expect(text).toMatch(/^key +kms:Decrypt with arn:aws:kms:\S+: \S/mu);
  expect(text).toMatch(/^allow +.*"Reads" +speaks of this request$/mu);
});

test.each([
  [
    'an explicit deny',
    ['s3://invoices/board/x', '--action', 's3:GetObject', '--client', 'reports'],
    /must not deny it/u,
  ],
  [
    'no policy',
    ['s3://invoices/a', '--action', 'PutObject', '--client', 'reports'],
    /allows s3:PutObject on arn:aws:s3:::invoices\/a/u,
  ],
  [
    'a condition',
    ['s3://invoices', '--action', 'ListBucket', '--client', 'reports'],
    /does not hold: the request has no such value/u,
  ],
  ['the rule', ['s3://invoices/closed/x', '--action', 'GetObject', '--client', 'keyless'], /refuses every request/u],
  ['the key', ['s3://invoices/a', '--action', 'GetObject', '--client', 'keyless'], /allows kms:Decrypt/u],
  [
    'no signature',
    ['s3://invoices/a', '--action', 'GetObject', '--anonymous'],
    /without a signature: they are refused/u,
  ],
])('what refuses it is named, and what is missing: %s', async (_what, words, said) => {
  const { exit, text } = await explain(...words);
  expect(exit).toBe(1);
  expect(text).toMatch(/ may not s3:/u);
  expect(text).toMatch(said);
});

test('what else the request says is given', async () => {
  const asked = ['s3://invoices', '--action', 'ListBucket', '--client', 'reports', '--with', 's3:prefix=2026/'];
  expect(await explain(...asked)).toMatchObject({ exit: 0 });
  expect(await explain('s3://site/index.html', '--action', 'GetObject', '--anonymous')).toMatchObject({ exit: 0 });
  expect(await explain('s3://site/index.html', '--action', 'PutObject', '--anonymous')).toMatchObject({ exit: 1 });
});

test('JSON has the same for programs', async () => {
  const { exit, text } = await explain('s3://invoices/a', '--action', 'GetObject', '--client', 'keyless', '--json');
  expect(exit).toBe(1);
  expect(JSON.parse(text)).toMatchObject({
    allowed: false,
    rule: { type: 'seal', keyId: 'alias/objects' },
    policies: { allowed: true },
    key: { allowed: false, action: 'kms:Decrypt' },
  });
});

test.each([
  ['invoices/a', '--action', 'GetObject', '--client', 'reports'],
  ['s3://invoices', '--client', 'reports'],
  ['s3://invoices', '--action', 'ListBucket'],
  ['s3://invoices', '--action', 'ListBucket', '--client', 'reports', '--anonymous'],
  ['s3://invoices', '--action', 'ListBucket', '--client', 'reports', '--with', 'prefix'],
])('what is no question is refused as such: %s %s', async (...words) => {
  expect(await explain(...words)).toMatchObject({ exit: 2, stderr: expect.stringContaining('ERR_CLI_USAGE') });
});

test('a client that the gateway does not have is no answer: nothing would limit it', async () => {
  const { exit, text, stderr } = await explain('s3://invoices/a', '--action', 'GetObject', '--client', 'report');
  expect([exit, text]).toEqual([2, '']);
  expect(stderr).toContain('the gateway has no client report;');
});

test('the key is asked about as the gateway would ask: the address of the client is no part of that', async () => {
  const asked = ['s3://invoices/a', '--action', 'GetObject', '--client', 'near', '--with', 'aws:SourceIp=192.0.2.1'];
  const { exit, text } = await explain(...asked);
  expect([exit, text]).toEqual([1, expect.stringContaining('IpAddress aws:SourceIp does not hold')]);
});
