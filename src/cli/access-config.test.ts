import { expect, test } from 'vitest';
import type { AccessConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { checkPolicy } from './load.ts';

const KEYS = 'version: 1\nkeys:\n  unseal: [{ type: keyFile, path: root.key }]\n  access:\n';
const READ = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*"}}';

async function load(access: string, more = ''): Promise<AccessConfig> {
  const files: Record<string, string> = {
    '/etc/gate/sealgate.yaml': `${KEYS}${access}${more}`,
    '/etc/gate/read.json': READ,
    '/etc/gate/broken.json': '{',
  };
  const readFile = async (path: string): Promise<Uint8Array> => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
    return Buffer.from(content);
  };
  return (await loadConfig('/etc/gate/sealgate.yaml', {}, readFile, { checkPolicy })).keys.access;
}

async function problems(access: string, more?: string): Promise<readonly string[]> {
  try {
    await load(access, more);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ position, code, path }) => `${position.line}:${position.column} ${code} ${path}`);
  }
}

test('Without the section storage callers may use keys, and nothing else is said', async () => {
  expect(await load('    {}\n')).toEqual({
    identities: [],
    unlistedStorageCallers: 'use-keys',
    s3ByDefault: 'everything',
    organizationPolicies: [],
    defaultKeyPolicy: undefined,
    grantsCrossAccounts: false,
  });
});

test('Callers are named in full, documents come from the file or from beside it', async () => {
  const access = await load(`    identities:
      - client: alice
        tags: { team: red }
        organization: o-1
        policies:
          - { name: read, file: read.json }
          - name: own
            document:
              Version: "2012-10-17"
              Statement: [{ Effect: Allow, Action: "kms:*", Resource: "*", Condition: { StringEquals: { "aws:username": "$\${aws:username}" } } }]
        boundaries: [{ name: read, file: read.json }]
      - { postgresRole: { database: "a/b", role: "x*" }, policies: [] }
      - { principal: "arn:aws:iam::444455556666:role/admin" }
`);
  expect(access.identities.map(({ arn }) => arn)).toEqual([
    'arn:aws:iam::000000000000:user/alice',
    'arn:aws:iam::000000000000:user/postgres/a%2Fb/x%2A',
    'arn:aws:iam::444455556666:role/admin',
  ]);
  const [alice] = access.identities;
  expect(alice).toMatchObject({ tags: { team: 'red' }, organization: 'o-1', boundaries: [{ document: READ }] });
  expect(alice?.policies.map(({ name }) => name)).toEqual(['read', 'own']);
  expect(alice?.policies[1]?.document).toContain('"aws:username":"${aws:username}"');
});

test.each<[string, string, readonly string[]]>([
  [
    'a policy file that is missing',
    'organizationPolicies: [{ name: p, file: none.json }]',
    ['5:45 ERR_CONFIG_FILE keys.access.organizationPolicies[0].file'],
  ],
  [
    'a policy file that is no policy',
    'organizationPolicies: [{ name: p, file: broken.json }]',
    ['5:45 ERR_CONFIG_VALUE keys.access.organizationPolicies[0].file'],
  ],
  [
    'a document that is no policy',
    'organizationPolicies: [{ name: p, document: { Statement: [] } }]',
    ['5:49 ERR_CONFIG_VALUE keys.access.organizationPolicies[0].document'],
  ],
  [
    'an identity policy with a Principal',
    'organizationPolicies: [{ name: p, document: { Statement: { Effect: Allow, Principal: "*", Action: "*", Resource: "*" } } }]',
    ['5:49 ERR_CONFIG_VALUE keys.access.organizationPolicies[0].document'],
  ],
  [
    'a key policy without one',
    'defaultKeyPolicy: { file: read.json }',
    ['5:31 ERR_CONFIG_VALUE keys.access.defaultKeyPolicy.file'],
  ],
  [
    'document and file',
    'defaultKeyPolicy: { document: {}, file: read.json }',
    ['5:39 ERR_CONFIG_VALUE keys.access.defaultKeyPolicy.file'],
  ],
  [
    'a caller named in two ways',
    'identities: [{ client: a, principal: "arn:aws:iam::444455556666:user/a" }]',
    ['5:31 ERR_CONFIG_VALUE keys.access.identities[0].principal'],
  ],
  [
    'a caller that is a group',
    'identities: [{ principal: "arn:aws:iam::444455556666:group/a" }]',
    ['5:31 ERR_CONFIG_VALUE keys.access.identities[0].principal'],
  ],
  [
    'one caller twice',
    'identities: [{ client: a }, { principal: "arn:aws:iam::000000000000:user/a" }]',
    ['5:33 ERR_CONFIG_CONTRADICTION keys.access.identities[1]'],
  ],
])('%s is told with its place', async (_what, access, expected) => {
  expect(await problems(`    ${access}\n`)).toEqual(expected);
});

test('A client that no section lists is a spelling mistake', async () => {
  const s3 =
    's3:\n  listen: { port: 9000 }\n  upstream: { endpoint: "http://127.0.0.1:1" }\n  clients: [{ name: app, accessKeyId: APP, secretAccessKey: s }]\n';
  expect(await problems('    identities: [{ client: ap }]\n', s3)).toEqual([
    '5:28 ERR_CONFIG_VALUE keys.access.identities[0].client',
  ]);
  expect(await problems('    identities: [{ client: app }]\n', s3)).toEqual([]);
});
