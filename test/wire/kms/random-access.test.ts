/**
 * Random policies, grants, tags and aliases that change between random requests, over HTTP and in process: each is allowed or refused as a
 * naive reading of AWS's manual says, whatever was decided and kept before, and explained as it is decided.
 */
import { expect, test } from 'vitest';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import { explainAccess } from '../../../src/keys/offline.ts';
import { KeysError } from '../../../src/keys/errors.ts';
import type { KeyUse } from '../../../src/keys/uses/data-keys.ts';
import { TEST_USE } from '../../support/keys/keys.ts';
import {
  naivelyAllowed,
  WITH_CONTEXT,
  type NaiveGrant,
  type NaiveIdentity,
  type NaiveKey,
  type NaiveRequest,
  type NaiveStatement,
} from '../../support/keys/naive-policy.ts';
import {
  CALLERS,
  chance,
  GRANTABLE,
  HOME,
  identityStatement,
  keyStatement,
  PRINCIPALS,
  randomIdentities,
  some,
  SOURCES,
  type Chance,
} from '../../support/keys/random-rules.ts';
import { REGION, startKms, type TestKms } from '../../support/kms/edge.ts';
import { pick, seeded } from '../../support/seeded.ts';

const ALIASES = ['alias/one', 'alias/two'];
const CONTEXTS: readonly Readonly<Record<string, string>>[] = [
  ...[{}, { c: 'x' }, { c: 'y', d: 'x' }, { d: 'z' }, { user: 'alice' }, { c: 'x', e: '1' }, { c: 'x', C: 'y' }],
].map((context) => Object.freeze(context));
const ACCESS_KEYS = Object.entries(CALLERS).map(([name, { arn }]) => ({
  ...{ name, accessKeyId: name.toUpperCase(), secretAccessKey: name, principal: arn },
}));
const VIA = { s3: `s3.${REGION}.amazonaws.com`, postgres: `rds.${REGION}.amazonaws.com` } as const;
const USES = Object.entries(CALLERS).flatMap(([name, { arn }]) =>
  (['s3', 'postgres'] as const).map((via) => ({
    name: name as keyof typeof CALLERS,
    via,
    use: Object.freeze<KeyUse>({ principal: arn, via, resource: 'r' }),
  })),
);
const aliasArn = (alias: string): string => `arn:aws:kms:${REGION}:${HOME}:${alias}`;

type Sealed = { readonly key: NaiveKey; readonly context: Readonly<Record<string, string>> };
type World = {
  readonly random: Chance;
  readonly kms: TestKms;
  readonly access: AccessOptions;
  readonly rules: {
    readonly identities: ReadonlyMap<string, NaiveIdentity>;
    readonly organization: readonly (readonly NaiveStatement[])[];
    grants: readonly NaiveGrant[];
  };
  readonly keys: readonly NaiveKey[];
  readonly blobs: readonly (Sealed & { readonly blob: string })[];
  readonly deks: readonly (Sealed & { readonly wrapped: Uint8Array })[];
  readonly seen: { allowed: number; refused: number; atOnce: number; explained: number };
};

const documentOf = (Statement: readonly NaiveStatement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement });

function accessOf({ identities, organization }: World['rules']): AccessOptions {
  const named = (name: string, statements: readonly NaiveStatement[]) => ({ name, document: documentOf(statements) });
  return {
    identities: Object.values(CALLERS).flatMap(({ arn, tags }) => {
      const own = identities.get(arn);
      if (own === undefined) return [];
      const policies = own.policies.length === 0 ? [] : [named('own', own.policies)];
      return [{ arn, tags, policies, boundaries: own.boundaries.map((each) => named('bound', each)) }];
    }),
    organizationPolicies: organization.map((each) => named('organization', each)),
    unlistedStorageCallers: 'nothing',
    grantsCrossAccounts: false,
  };
}

async function startWorld(random: Chance): Promise<World> {
  const everything = { Effect: 'Allow', Action: ['*'], Resource: ['*'] } as const;
  const organization = chance(random, 0.2) ? [[everything, identityStatement(random)]] : [];
  const rules: World['rules'] = { identities: randomIdentities(random), organization, grants: [] };
  const access = accessOf(rules);
  const kms = await startKms({ accessKeys: ACCESS_KEYS, access });
  const made = [await kms.keys.createKey({}, TEST_USE), await kms.keys.createKey({}, TEST_USE)];
  const keys = made.map(({ keyId, arn }): NaiveKey => ({ id: keyId, arn, tags: {}, aliases: [], policy: [] }));
  const places = keys.flatMap((key) => CONTEXTS.map((context) => ({ key, context })));
  const blobs: World['blobs'][number][] = [];
  const deks: World['deks'][number][] = [];
  for (const place of places) {
    const asked = { keyId: place.key.id, context: place.context };
    const { ciphertext } = await kms.keys.operations.encrypt({ ...asked, plaintext: Buffer.from('hi') }, TEST_USE);
    blobs.push({ ...place, blob: Buffer.from(ciphertext).toString('base64') });
    deks.push({ ...place, wrapped: (await kms.keys.generateDataKey(asked, TEST_USE)).wrapped });
  }
  const seen = { allowed: 0, refused: 0, atOnce: 0, explained: 0 };
  const world = { random, kms, access, rules, keys, blobs, deks, seen };
  for (const key of keys) await putPolicy(world, key);
  for (let at = 0; at < 6; at++) await change(world);
  return world;
}

async function putPolicy({ random, kms }: World, key: NaiveKey): Promise<void> {
  key.policy = Array.from({ length: pick(random, [1, 2, 3, 4]) }, () => keyStatement(random));
  await kms.keys.settings.putPolicy({ keyId: key.id, policy: documentOf(key.policy) }, TEST_USE);
}

/** Something that decisions hang on, by the operator, whom none of it limits. */
async function change(world: World): Promise<void> {
  const { random, kms, keys, rules } = world;
  const key = pick(random, keys);
  const kind = random();
  if (kind < 0.35) await putPolicy(world, key);
  else if (kind < 0.5) {
    const value = pick(random, ['red', 'blue']);
    await kms.keys.settings.tagKey({ keyId: key.id, tags: [{ key: 'team', value }] }, TEST_USE);
    key.tags = { team: value };
  } else if (kind < 0.55) {
    await kms.keys.settings.untagKey({ keyId: key.id, names: ['team'] }, TEST_USE);
    key.tags = {};
  } else if (kind < 0.7) await moveAlias(world, key);
  else if (kind < 0.9 || rules.grants.length === 0) await grant(world, key);
  else {
    const { id, key: on } = pick(random, rules.grants);
    await kms.keys.grants.revoke({ keyId: on, grantId: id }, TEST_USE);
    rules.grants = rules.grants.filter((each) => each.id !== id);
  }
}

async function moveAlias({ random, kms, keys }: World, key: NaiveKey): Promise<void> {
  const aliasName = pick(random, ALIASES);
  const owner = keys.find(({ aliases }) => aliases.includes(aliasName));
  const isGone = owner !== undefined && chance(random, 0.5);
  if (isGone) await kms.keys.deleteAlias(aliasName, TEST_USE);
  else if (owner === undefined) await kms.keys.createAlias({ aliasName, keyId: key.id }, TEST_USE);
  else await kms.keys.updateAlias({ aliasName, keyId: key.id }, TEST_USE);
  if (owner !== undefined) owner.aliases = owner.aliases.filter((each) => each !== aliasName);
  if (!isGone) key.aliases = [...key.aliases, aliasName];
}

async function grant({ random, kms, rules }: World, key: NaiveKey): Promise<void> {
  const isService = chance(random, 0.3);
  const grantee = isService ? CALLERS.service.arn : pick(random, PRINCIPALS);
  const context = chance(random, 0.5) ? pick(random, [{ c: 'x' }, { d: 'x' }, { c: 'y', d: 'x' }]) : undefined;
  const equals = chance(random, 0.5);
  const source = isService ? pick(random, SOURCES) : undefined;
  const operations = some(random, GRANTABLE, 1, 4);
  const { grantId } = await kms.keys.grants.create(
    {
      ...{ keyId: key.id, operations, grantee: isService ? { service: grantee } : grantee },
      ...(isService ? { retiring: CALLERS.bob.arn } : {}),
      constraints: { ...(context === undefined ? {} : { [equals ? 'equals' : 'subset']: context }), sourceArn: source },
    },
    TEST_USE,
  );
  const made = { id: grantId, key: key.arn, grantee, operations, context, equals, source };
  rules.grants = [...rules.grants, made];
}

type Asked = { readonly key: NaiveKey; readonly context: Readonly<Record<string, string>>; readonly alias?: string };

const aliasFor = (random: Chance, { aliases }: NaiveKey): { readonly alias?: string } =>
  aliases.length > 0 && chance(random, 0.3) ? { alias: pick(random, aliases) } : {};
const named = ({ key, alias }: Asked): string => (alias === undefined ? key.arn : aliasArn(alias));

/** What a request asks for: its input, and the permissions that it takes. */
function call(world: World, action: string): { readonly input: object; readonly needs: readonly [string, Asked][] } {
  const { random, blobs } = world;
  const { key, context, blob } = pick(random, blobs);
  const asked = { key, context, ...aliasFor(random, key) };
  const sealed = { CiphertextBlob: blob, EncryptionContext: context };
  switch (action) {
    case 'Encrypt':
      return {
        input: { KeyId: named(asked), Plaintext: 'aGk=', EncryptionContext: context },
        needs: [[action, asked]],
      };
    case 'Decrypt':
      return chance(random, 0.5)
        ? { input: { ...sealed, KeyId: named(asked) }, needs: [[action, asked]] }
        : { input: sealed, needs: [[action, { key, context }]] };
    case 'GenerateDataKey':
    case 'GenerateDataKeyWithoutPlaintext':
      return {
        input: { KeyId: named(asked), KeySpec: 'AES_256', EncryptionContext: context },
        needs: [[action, asked]],
      };
    case 'ReEncrypt': {
      const next = pick(random, blobs);
      const to = { key: next.key, context: next.context, ...aliasFor(random, next.key) };
      const destination = { DestinationKeyId: named(to), DestinationEncryptionContext: to.context };
      return {
        input: { CiphertextBlob: blob, SourceEncryptionContext: context, SourceKeyId: named(asked), ...destination },
        needs: [
          ['ReEncryptFrom', asked],
          ['ReEncryptTo', to],
        ],
      };
    }
    case 'DescribeKey':
      return { input: { KeyId: named(asked) }, needs: [[action, { ...asked, context: {} }]] };
    default:
      return { input: { KeyId: key.arn }, needs: [[action, { key, context: {} }]] };
  }
}

const KEY_ACTIONS = [
  ...['Encrypt', 'Decrypt', 'Decrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'ReEncrypt', 'ReEncrypt'],
  ...['DescribeKey', 'GetKeyPolicy', 'ListGrants', 'GetKeyRotationStatus', 'ListResourceTags'],
];
const OTHER_ACTIONS: Readonly<Record<string, object>> = { ListKeys: {}, GenerateRandom: { NumberOfBytes: 8 } };

async function askOverHttp(world: World): Promise<void> {
  const { random, kms, rules, seen } = world;
  const { name, ...credentials } = pick(random, ACCESS_KEYS);
  const caller = CALLERS[name as keyof typeof CALLERS];
  const says = caller.kind === 'Service' ? 0.7 : 0.1;
  const source = chance(random, says) ? pick(random, SOURCES) : undefined;
  const userAgent = pick(random, ['one', 'two']);
  const other = chance(random, 0.08) ? pick(random, Object.keys(OTHER_ACTIONS)) : undefined;
  const action = other ?? pick(random, KEY_ACTIONS);
  const { input, needs } =
    other === undefined ? call(world, action) : { input: OTHER_ACTIONS[other] ?? {}, needs: [] as [string, Asked][] };
  const same = String(new Set(needs.map(([, { key }]) => key)).size === 1);
  const ofRequest = { 'aws:securetransport': 'false', 'aws:sourceip': '127.0.0.1', 'aws:useragent': userAgent };
  const ofService = caller.kind === 'Service' ? { 'aws:sourcearn': source } : {};
  const requestOf = (permission: string, asked: Asked | undefined): NaiveRequest => ({
    ...{ caller, action: permission, key: asked?.key, context: asked?.context ?? {}, source },
    facts: {
      ...{ ...ofRequest, ...ofService, 'kms:requestalias': asked?.alias },
      ...(WITH_CONTEXT.test(permission) ? { 'kms:encryptionalgorithm': 'SYMMETRIC_DEFAULT' } : {}),
      ...(action === 'ReEncrypt' ? { 'kms:reencryptonsamekey': same } : {}),
    },
  });
  const requests = other === undefined ? needs.map((need) => requestOf(...need)) : [requestOf(other, undefined)];
  const expected = requests.every((request) => naivelyAllowed(request, rules, HOME));
  const headers = { 'user-agent': userAgent, ...(source === undefined ? {} : { 'x-amz-source-arn': source }) };
  const { status, json } = await kms.call(action, input, { credentials, headers });
  const got = status === 200 || json?.['__type'];
  expect({ name, action, input, source, got, rules, keys: world.keys }).toMatchObject({
    got: expected || 'AccessDeniedException',
  });
  seen[expected ? 'allowed' : 'refused'] += 1;
  if (chance(random, 0.4)) for (const [at, need] of needs.entries()) await explained(world, need, requests[at]);
}

/** Says what is decided, of what `keys explain-access` can be told of the request. */
async function explained(
  { kms, access, rules, seen, keys }: World,
  [action, asked]: readonly [string, Asked],
  request: NaiveRequest | undefined,
): Promise<void> {
  if (request === undefined) throw new TypeError('as many requests as needs');
  const { caller, context, facts, source } = request;
  const same = facts['kms:reencryptonsamekey'];
  const explanation = await explainAccess(
    { ...kms.folder.options, access, kmsTls: false },
    {
      ...{ keyId: named(asked), principal: caller.arn, via: 'kms', action, context },
      request: {
        ...{ sourceIp: '127.0.0.1', userAgent: facts['aws:useragent'] ?? '' },
        ...(caller.kind === 'Service' && source !== undefined ? { sourceArn: source } : {}),
        ...(same === undefined ? {} : { parameters: { ReEncryptOnSameKey: same } }),
      },
    },
    Date.now,
  );
  const allowed = naivelyAllowed(request, rules, HOME);
  expect({ action, ...explanation, facts, rules, keys }).toMatchObject({ allowed });
  seen.explained += 1;
}

/** As the gateway and the proxy ask, some of it with what they keep from one use to the next. */
async function askInProcess(world: World): Promise<void> {
  const { random, kms, rules, deks, seen } = world;
  const { name, via, use } = pick(random, USES);
  const { key, context, wrapped } = pick(random, deks);
  const { alias } = aliasFor(random, key);
  const opens = chance(random, 0.7);
  const isNamed = !opens || chance(random, 0.5);
  const keyId = alias ?? key.id;
  const facts = {
    ...{ 'aws:securetransport': 'true', 'kms:viaservice': VIA[via], 'kms:encryptionalgorithm': 'SYMMETRIC_DEFAULT' },
    'kms:requestalias': isNamed ? alias : undefined,
  };
  const asked = { caller: CALLERS[name], key, context, facts, source: undefined };
  const expected = naivelyAllowed({ ...asked, action: opens ? 'Decrypt' : 'GenerateDataKey' }, rules, HOME);
  const request = { wrapped, context, ...(isNamed ? { keyId } : {}) };
  const make = async (): Promise<unknown> => {
    if (!opens) return kms.keys.generateDataKey({ keyId, context }, use);
    const atOnce = kms.keys.decryptNow(request, use);
    if (atOnce !== undefined) seen.atOnce += 1;
    return atOnce ?? kms.keys.decrypt(request, use);
  };
  const got = await make().then(
    () => true,
    (error: unknown) => (error instanceof KeysError ? error.code : error),
  );
  expect({ name, via, opens, request, got, rules, keys: world.keys }).toMatchObject({
    got: expected || 'ERR_KEYS_ACCESS_DENIED',
  });
  seen[expected ? 'allowed' : 'refused'] += 1;
}

test('Each request is decided as AWS’s manual says, whatever was decided before, and explained so', async () => {
  const random = seeded(20_271);
  const all = { allowed: 0, refused: 0, atOnce: 0, explained: 0 };
  for (let round = 0; round < 4; round++) {
    const world = await startWorld(random);
    await using kms = world.kms;
    expect(kms.port).toBeGreaterThan(0);
    for (let step = 0; step < 120; step++) {
      if (chance(random, 0.3)) await change(world);
      if (chance(random, 0.6)) await askOverHttp(world);
      for (let times = 0; times < 12; times++) await askInProcess(world);
    }
    for (const kind of ['allowed', 'refused', 'atOnce', 'explained'] as const) all[kind] += world.seen[kind];
  }
  expect(all.allowed).toBeGreaterThan(1000);
  expect(all.refused).toBeGreaterThan(2000);
  expect(all.atOnce).toBeGreaterThan(100);
  expect(all.explained).toBeGreaterThan(60);
}, 60_000);
