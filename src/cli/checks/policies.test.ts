import { writeFileSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cliFolder } from '../../../test/support/cli.ts';
import type { AccessConfig } from '../../config/config.ts';
import { checkPolicies } from './policies.ts';

const USER = 'arn:aws:iam::000000000000:user/reports';
const statement = (more: object): object => ({ Effect: 'Deny', Resource: '*', ...more });

function notes(Statement: unknown, kind: 'policies' | 'boundaries' | 'organization' | 'default' = 'policies') {
  const document = JSON.stringify({ Version: '2012-10-17', Statement });
  const policy = [{ name: 'own', document }];
  const identity = { arn: USER, tags: {}, organization: undefined, policies: [], boundaries: [] };
  const access: AccessConfig = {
    identities: [{ ...identity, ...(kind === 'policies' || kind === 'boundaries' ? { [kind]: policy } : {}) }],
    unlistedStorageCallers: 'nothing',
    s3ByDefault: 'nothing',
    organizationPolicies: kind === 'organization' ? policy : [],
    defaultKeyPolicy: kind === 'default' ? document : undefined,
    grantsCrossAccounts: false,
  };
  return checkPolicies(access);
}

test.each([
  ['kms:Decrpyt', 'kms:Decrypt'],
  ['KMS:generatedatakeys', 'kms:GenerateDataKey'],
  ['kms:ReEncrypt', 'kms:ReEncryptFrom and kms:ReEncryptTo'],
])('An action that KMS does not have is told: %s', (action, meant) => {
  expect(notes(statement({ Action: ['kms:Encrypt', action] }))).toEqual([
    {
      type: 'note',
      about: `policy own of ${USER}`,
      message: `KMS has no action ${action}, no request asks for it; did you mean ${meant}?`,
    },
  ]);
  expect(notes([statement({ NotAction: action })])).toHaveLength(1);
});

test.each([
  ['kms:ViaServices', 'kms:ViaService'],
  ['kms:EncrpytionContext:tenant', 'kms:EncryptionContext:tenant'],
  ['kms:granteePrincipals', 'kms:GranteePrincipal'],
  ['kms:EncryptionContexts:aws:s3:arn', 'kms:EncryptionContext:aws:s3:arn'],
  ['kms:EncryptionContext/tenant', 'kms:EncryptionContext:tenant'],
  ['kms:EncryptionContext', 'kms:EncryptionContext:<name>'],
  ['kms:EncryptionContextKey', 'kms:EncryptionContextKeys'],
  ['kms:ResourceTag/team', 'aws:ResourceTag/team'],
  ['kms:ResourceTags/team', 'aws:ResourceTag/team'],
  ['kms:ResourceTag:team', 'aws:ResourceTag/team'],
  ['kms:requestTag/team', 'aws:requestTag/team'],
  ['kms:SourceIp', 'aws:SourceIp'],
  ['kms:EncryptionAlgorithm:tenant', 'kms:EncryptionAlgorithm'],
])('A condition key that KMS does not have is told: %s', (key, meant) => {
  const asked = statement({ Action: 'kms:*', Condition: { Null: { 'aws:SourceVpc': 'true', [key]: 'true' } } });
  expect(notes([asked, asked])).toEqual([
    {
      type: 'note',
      about: `policy own of ${USER}`,
      message: `no request has a ${key}, which a condition there looks at; did you mean ${meant}?`,
    },
  ]);
});

const attestations = ['ImageSha384', 'PCR0', 'PCR31', 'NitroTPMPCR4', 'nitrotpmpcr23'];
test.each(attestations)('A condition key of AWS KMS that no request here has is told as that: %s', (name) => {
  const key = `kms:RecipientAttestation:${name}`;
  expect(notes(statement({ Action: 'kms:*', Condition: { StringEqualsIgnoreCase: { [key]: 'ab' } } }))).toEqual([
    {
      type: 'note',
      about: `policy own of ${USER}`,
      message: `a condition there looks at ${key}: AWS KMS has it, no request here does`,
    },
  ]);
});

test.each([
  'RecipientAttestation:ImageSha',
  'RecipientAttestations:PCR0',
  'RecipientAttestation:PCR32',
  'Colour:EncryptionContext',
])('What a caller can state at will is not proposed for what it cannot: kms:%s', (name) => {
  const key = `kms:${name}`;
  expect(notes(statement({ Action: 'kms:*', Condition: { StringEquals: { [key]: 'ab' } } }))).toMatchObject([
    { message: `no request has a ${key}, which a condition there looks at` },
  ]);
});

test('Names that there are, patterns of them, and those of other services are not told of', () => {
  const Action = ['*', 'kms:*', 'kms:Re*', 'KMS:decrypt', 'kms:ReEncryptFrom', 'kms:GenerateDataKey?airs'];
  const others = ['kms:SynchronizeMultiRegionKey', 'kms:CreateCustomKeyStore', 's3:Anything', 'sealgate:Backup'];
  const keys = ['kms:ViaService', 'KMS:encryptioncontext:x', 'kms:GrantOperations', 'aws:Whatever', 's3:prefix'];
  const Condition = { StringEquals: Object.fromEntries(keys.map((key) => [key, 'x'])) };
  expect(notes(statement({ Action: [...Action.filter((name) => !name.includes('?')), ...others], Condition }))).toEqual(
    [],
  );
  expect(notes(statement({ Action: 'kms:GenerateDataKey?airs' }))).toHaveLength(1);
});

test('Every policy of the config is looked at', () => {
  const misspelt = statement({ Action: 'kms:Decrpyt' });
  expect(notes(misspelt, 'boundaries')).toMatchObject([{ about: `policy own of ${USER}` }]);
  expect(notes(misspelt, 'organization')).toMatchObject([{ about: 'organization policy own' }]);
  expect(notes({ ...misspelt, Principal: '*' }, 'default')).toMatchObject([{ about: 'default key policy' }]);
  expect(notes({ Effect: 'Allow', Principal: '*' }, 'default')).toEqual([]);
});

test('`sealgate check` says it, and that the config is sound', async () => {
  using cli = cliFolder();
  expect((await cli.run('init')).exit).toBe(0);
  writeFileSync(cli.path('own.json'), JSON.stringify({ Statement: statement({ Action: 'kms:Decrpyt' }) }));
  const access = `  access:\n    identities: [{ principal: "${USER}", policies: [{ name: own, file: ./own.json }] }]\n`;
  const config = readFileSync(cli.path('sealgate.yaml'), 'utf8');
  writeFileSync(cli.path('sealgate.yaml'), config.replace(/^observe:/mu, `${access}observe:`));
  const { exit, stdout } = await cli.run('check');
  expect([exit, stdout.toString()]).toEqual([0, expect.stringContaining('note        policy own of')]);
  expect(stdout.toString()).toContain('did you mean kms:Decrypt?');
});
