/** Two regions of one process, as the stock AWS SDK for JavaScript v3 addresses them: by the region that it signs for. */
import { AwsKmsMrkAwareSymmetricKeyringNode, buildClient, CommitmentPolicy } from '@aws-crypto/client-node';
import {
  AlreadyExistsException,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetKeyRotationStatusCommand,
  KMS,
  KMSClient,
  KMSInvalidStateException,
  KMSServiceException,
  ListAliasesCommand,
  ListKeysCommand,
  NotFoundException,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UnsupportedOperationException,
  UpdatePrimaryRegionCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allow, deny, document } from '../../support/keys/access.ts';
import { ACCOUNT, CALLER, OTHER_REGION, REGION, startKms, type TestKms } from '../../support/kms/edge.ts';

const principal = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`;
const BOB = { accessKeyId: 'KMSBOB', secretAccessKey: 'the secret of bob', principal: principal('bob') };

/** May make keys of many regions in its own, and replicas in the other one, and nothing else of the kind. */
const BOBS = document(
  allow({ Action: 'kms:*' }),
  deny({ Action: 'kms:CreateKey', Condition: { Bool: { 'kms:MultiRegion': 'false' } } }),
  deny({
    Action: 'kms:CreateKey',
    Condition: {
      StringEquals: { 'kms:MultiRegionKeyType': 'PRIMARY' },
      StringNotEquals: { 'aws:RequestedRegion': REGION },
    },
  }),
  deny({ Action: 'kms:ReplicateKey', Condition: { StringNotEquals: { 'kms:ReplicaRegion': OTHER_REGION } } }),
  deny({ Action: 'kms:UpdatePrimaryRegion', Condition: { StringEquals: { 'kms:PrimaryRegion': OTHER_REGION } } }),
  deny({ Action: 'kms:Encrypt', Condition: { StringEquals: { 'kms:MultiRegionKeyType': 'REPLICA' } } }),
);
/** May replicate, and may not make keys in the other region. */
const CAROL = { accessKeyId: 'KMSCAROL', secretAccessKey: 'the secret of carol', principal: principal('carol') };
const CAROLS = document(
  allow({ Action: 'kms:*' }),
  deny({ Action: 'kms:CreateKey', Condition: { StringEquals: { 'aws:RequestedRegion': OTHER_REGION } } }),
);

let kms: TestKms;
const clients: KMSClient[] = [];
beforeAll(async () => {
  kms = await startKms({
    accessKeys: [CALLER, BOB, CAROL],
    access: {
      identities: [
        { arn: CALLER.principal, policies: [{ name: 'admin', document: document(allow()) }] },
        { arn: BOB.principal, policies: [{ name: 'bob', document: BOBS }] },
        { arn: CAROL.principal, policies: [{ name: 'carol', document: CAROLS }] },
      ],
      organizationPolicies: [],
      unlistedStorageCallers: 'use-keys',
      grantsCrossAccounts: false,
    },
  });
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await kms[Symbol.asyncDispose]();
});

function client(region: string, credentials: { accessKeyId: string; secretAccessKey: string } = CALLER): KMSClient {
  const made = new KMSClient({ endpoint: kms.url, region, credentials, maxAttempts: 1 });
  clients.push(made);
  return made;
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  );

const named = (work: Promise<unknown>): Promise<string> =>
  failure(work).then((error) => (error instanceof KMSServiceException ? error.name : String(error)));

async function primaryIn(home: KMSClient, more: object = {}): Promise<string> {
  const { KeyMetadata } = await home.send(new CreateKeyCommand({ MultiRegion: true, ...more }));
  return KeyMetadata?.KeyId ?? '';
}

describe('A multi-Region key', () => {
  test('is what both clients see, each in its region, and opens what the other encrypted', async () => {
    const [home, there] = [client(REGION), client(OTHER_REGION)];
    const KeyId = await primaryIn(home);
    const arnIn = (region: string): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${KeyId}`;
    const replica = { KeyId, ReplicaRegion: OTHER_REGION, Description: 'the replica' };
    const { ReplicaKeyMetadata, ReplicaPolicy, ReplicaTags } = await home.send(new ReplicateKeyCommand(replica));
    const MultiRegionConfiguration = {
      PrimaryKey: { Arn: arnIn(REGION), Region: REGION },
      ReplicaKeys: [{ Arn: arnIn(OTHER_REGION), Region: OTHER_REGION }],
    };
    expect(ReplicaKeyMetadata).toMatchObject({
      ...{ KeyId, Arn: arnIn(OTHER_REGION), Description: 'the replica', KeyState: 'Enabled', MultiRegion: true },
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA', ...MultiRegionConfiguration },
    });
    expect([ReplicaPolicy?.includes('key-default-1'), ReplicaTags]).toEqual([true, []]);
    const { KeyMetadata } = await home.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata?.MultiRegionConfiguration).toEqual({
      MultiRegionKeyType: 'PRIMARY',
      ...MultiRegionConfiguration,
    });
    expect(KeyMetadata?.CurrentKeyMaterialId).toBe(ReplicaKeyMetadata?.CurrentKeyMaterialId);
    const Plaintext = Buffer.from('of two regions');
    for (const [from, to] of [
      [home, there],
      [there, home],
    ] as const) {
      const { CiphertextBlob } = await from.send(new EncryptCommand({ KeyId, Plaintext }));
      for (const key of [undefined, KeyId]) {
        const opened = await to.send(new DecryptCommand({ CiphertextBlob, KeyId: key }));
        expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('of two regions');
        expect(opened.KeyId).toBe(arnIn(to === home ? REGION : OTHER_REGION));
      }
    }
    const again = await failure(home.send(new ReplicateKeyCommand(replica)));
    expect(again).toBeInstanceOf(AlreadyExistsException);
  });

  test('of another kind works in both regions as well', async () => {
    const [home, there] = [client(REGION), client(OTHER_REGION)];
    const KeyId = await primaryIn(home, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
    await home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const asked = { KeyId, Message: Buffer.from('message'), MacAlgorithm: 'HMAC_SHA_256' } as const;
    const { Mac } = await home.send(new GenerateMacCommand(asked));
    expect((await there.send(new VerifyMacCommand({ ...asked, Mac }))).MacValid).toBe(true);
  });

  test('is rotated, replaced as primary and deleted in order', async () => {
    const [home, there] = [client(REGION), client(OTHER_REGION)];
    const KeyId = await primaryIn(home);
    await home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const refused = await failure(there.send(new RotateKeyOnDemandCommand({ KeyId })));
    expect(refused).toBeInstanceOf(UnsupportedOperationException);
    expect(String(refused)).toMatch(/key\/mrk-[0-9a-f]{32} is not a multi-region primary key\.$/u);
    await home.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: OTHER_REGION }));
    await there.send(new RotateKeyOnDemandCommand({ KeyId }));
    expect((await home.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false);
    const deletion = { KeyId, PendingWindowInDays: 7 };
    const scheduled = await there.send(new ScheduleKeyDeletionCommand(deletion));
    expect(scheduled).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 });
    expect(scheduled.DeletionDate).toBeUndefined();
    const { KeyMetadata } = await there.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingDeletionWindowInDays: 7 });
    const encrypting = there.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    expect(await failure(encrypting)).toBeInstanceOf(KMSInvalidStateException);
    expect((await home.send(new ScheduleKeyDeletionCommand(deletion))).KeyState).toBe('PendingDeletion');
  });
});

describe('The AWS Encryption SDK', () => {
  const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  type Keyring = typeof AwsKmsMrkAwareSymmetricKeyringNode;
  type Asked = ConstructorParameters<Keyring>[0]['client'];
  const keyring = (region: string, keyId: string): InstanceType<Keyring> => {
    const asked = new KMS({ endpoint: kms.url, region, credentials: CALLER, maxAttempts: 1 });
    clients.push(asked);
    // The same client; its answers are typed with members that may be undefined.
    return new AwsKmsMrkAwareSymmetricKeyringNode({ client: asked as unknown as Asked, keyId });
  };
  const opened = async (region: string, keyId: string, message: Uint8Array): Promise<string> =>
    decrypt(keyring(region, keyId), message).then(
      ({ plaintext }) => plaintext.toString('utf8'),
      () => 'refused',
    );

  test('decrypts in one region what it encrypted in another, by a keyring that knows multi-Region keys', async () => {
    const home = client(REGION);
    const KeyId = await primaryIn(home);
    await home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const arnIn = (region: string, key = KeyId): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${key}`;
    const { result } = await encrypt(keyring(REGION, arnIn(REGION)), 'a message');
    expect(await opened(OTHER_REGION, arnIn(OTHER_REGION), result)).toBe('a message');
    expect(await opened(REGION, arnIn(REGION), result)).toBe('a message');
    const back = await encrypt(keyring(OTHER_REGION, arnIn(OTHER_REGION)), 'another');
    expect(await opened(REGION, arnIn(REGION), back.result)).toBe('another');
    const other = await primaryIn(home);
    expect(await opened(REGION, arnIn(REGION, other), result)).toBe('refused');
    const single = (await home.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
    const sealed = await encrypt(keyring(REGION, arnIn(REGION, single)), 'of one region');
    expect(await opened(REGION, arnIn(REGION, single), sealed.result)).toBe('of one region');
    expect(await opened(OTHER_REGION, arnIn(OTHER_REGION, single), sealed.result)).toBe('refused');
  });
});

describe('What is of one region', () => {
  test('is not found in another: keys, aliases, ciphertexts, ARNs', async () => {
    const [home, there] = [client(REGION), client(OTHER_REGION)];
    const { KeyMetadata } = await home.send(new CreateKeyCommand({}));
    const { KeyId = '', Arn = '' } = KeyMetadata ?? {};
    await home.send(new CreateAliasCommand({ AliasName: 'alias/one', TargetKeyId: KeyId }));
    expect(await failure(there.send(new DescribeKeyCommand({ KeyId })))).toBeInstanceOf(NotFoundException);
    const elsewhere = await failure(there.send(new DescribeKeyCommand({ KeyId: Arn })));
    expect([elsewhere instanceof NotFoundException, (elsewhere as Error).message]).toEqual([
      true,
      `Invalid arn ${REGION}`,
    ]);
    const { CiphertextBlob } = await home.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    expect(await named(there.send(new DecryptCommand({ CiphertextBlob })))).toBe('AccessDeniedException');
    const { Keys = [] } = await there.send(new ListKeysCommand({}));
    expect(Keys.filter((key) => key.KeyId === KeyId)).toEqual([]);
    const { Aliases = [] } = await there.send(new ListAliasesCommand({}));
    // Those that are there from the start.
    expect(Aliases.map(({ AliasName }) => AliasName)).toEqual(['alias/aws/rds', 'alias/aws/s3']);
  });

  test('is refused where the region is not served: to its signature, and as a replica’s', async () => {
    expect(await named(client('eu-west-1').send(new ListKeysCommand({})))).toBe('InvalidSignatureException');
    const home = client(REGION);
    const KeyId = await primaryIn(home);
    const asked = failure(home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' })));
    expect(await asked).toBeInstanceOf(UnsupportedOperationException);
    expect(String(await asked)).toContain('The Region eu-west-1 is not served here');
    expect(await named(home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'nowhere' })))).toBe(
      'ValidationException',
    );
  });
});

describe('Policies see', () => {
  test('the kind of key, the region asked for and the region of a replica', async () => {
    const [home, there] = [client(REGION, BOB), client(OTHER_REGION, BOB)];
    expect(await named(home.send(new CreateKeyCommand({})))).toBe('AccessDeniedException');
    expect(await named(there.send(new CreateKeyCommand({ MultiRegion: true })))).toBe('AccessDeniedException');
    const KeyId = await primaryIn(home);
    expect(await named(home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' })))).toBe(
      'AccessDeniedException',
    );
    await home.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: OTHER_REGION }));
    const Plaintext = Buffer.from('x');
    await home.send(new EncryptCommand({ KeyId, Plaintext }));
    expect(await named(there.send(new EncryptCommand({ KeyId, Plaintext })))).toBe('AccessDeniedException');
    const update = { KeyId, PrimaryRegion: OTHER_REGION };
    expect(await named(home.send(new UpdatePrimaryRegionCommand(update)))).toBe('AccessDeniedException');
  });

  test('that a replica is a key made in its region; the audit log has both, and who was refused for which', async () => {
    const home = client(REGION, CAROL);
    const KeyId = await primaryIn(home);
    const replica = { KeyId, ReplicaRegion: OTHER_REGION };
    expect(await named(home.send(new ReplicateKeyCommand(replica)))).toBe('AccessDeniedException');
    await client(REGION).send(new ReplicateKeyCommand(replica));
    const records = readFileSync(kms.folder.options.audit.path, 'utf8')
      .trim()
      .split('\n')
      // Each line is a record.
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ key }) => String(key).endsWith(KeyId))
      .map(({ principal: by, action, key, decision, result }) => [
        by,
        action,
        String(key).split(':')[3],
        decision,
        result,
      ]);
    const { principal: admin } = CALLER;
    expect(records).toEqual([
      [CAROL.principal, 'CreateKey', REGION, 'allow', 'success'],
      [CAROL.principal, 'ReplicateKey', REGION, 'deny', 'ERR_KEYS_ACCESS_DENIED'],
      [admin, 'ReplicateKey', REGION, 'allow', 'started'],
      [admin, 'CreateKey', OTHER_REGION, 'allow', 'success'],
      [admin, 'ReplicateKey', REGION, 'allow', 'success'],
    ]);
  });
});
