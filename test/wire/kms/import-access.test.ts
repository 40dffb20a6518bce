/** Who may import what: the actions of import in policies, and the condition keys that are about it. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allow, document } from '../../support/keys/access.ts';
import { callsOf, type Json } from '../../support/kms/calls.ts';
import { ACCOUNT, CALLER, startKms, type TestKms } from '../../support/kms/edge.ts';
import { wrapByNode } from '../../support/keys/wrap-material.ts';

const IMPORTER = {
  accessKeyId: 'KMSIMPORTER',
  secretAccessKey: 'the secret of the importer',
  principal: `arn:aws:iam::${ACCOUNT}:user/importer`,
};
const UNTIL = '2100-01-01T00:00:00Z';

const only = (Action: string, condition: Json): Json => allow({ Action, Condition: condition });
const IMPORTER_MAY = document(
  only('kms:CreateKey', { StringEquals: { 'kms:KeyOrigin': 'EXTERNAL' } }),
  only('kms:GetParametersForImport', {
    StringEquals: { 'kms:WrappingAlgorithm': 'RSA_AES_KEY_WRAP_SHA_256', 'kms:WrappingKeySpec': 'RSA_3072' },
  }),
  only('kms:ImportKeyMaterial', {
    StringEquals: { 'kms:ExpirationModel': 'KEY_MATERIAL_EXPIRES' },
    DateLessThan: { 'kms:ValidTo': UNTIL },
    NumericLessThan: { 'kms:ValidTo': String(Date.parse(UNTIL) / 1000) },
  }),
);

let kms: TestKms;
beforeAll(async () => {
  kms = await startKms({
    accessKeys: [CALLER, IMPORTER],
    access: {
      identities: [
        { arn: CALLER.principal, policies: [{ name: 'admin', document: document(allow()) }] },
        { arn: IMPORTER.principal, policies: [{ name: 'import', document: IMPORTER_MAY }] },
      ],
      organizationPolicies: [],
      unlistedStorageCallers: 'use-keys',
      grantsCrossAccounts: false,
    },
  });
});
afterAll(() => kms[Symbol.asyncDispose]());
const { ok } = callsOf(() => kms);

async function byImporter(action: string, input: object): Promise<readonly [unknown, Json]> {
  const { json = {}, status } = await kms.call(action, input, { credentials: IMPORTER });
  return [status === 200 ? 'allowed' : json['__type'], json];
}

test('A policy may ask that keys are to be imported, how material is wrapped, and that it expires', async () => {
  const denied = 'AccessDeniedException';
  expect((await byImporter('CreateKey', {}))[0]).toBe(denied);
  const [made, { KeyMetadata }] = await byImporter('CreateKey', { Origin: 'EXTERNAL' });
  expect(made).toBe('allowed');
  const { KeyId } = KeyMetadata as { KeyId: string };
  const wrapping = { KeyId, WrappingAlgorithm: 'RSA_AES_KEY_WRAP_SHA_256', WrappingKeySpec: 'RSA_3072' };
  for (const other of [{ WrappingAlgorithm: 'RSAES_OAEP_SHA_256' }, { WrappingKeySpec: 'RSA_2048' }])
    expect((await byImporter('GetParametersForImport', { ...wrapping, ...other }))[0]).toBe(denied);
  const [given, { ImportToken, PublicKey }] = await byImporter('GetParametersForImport', wrapping);
  expect(given).toBe('allowed');
  const publicKey = Buffer.from(String(PublicKey), 'base64');
  const EncryptedKeyMaterial = wrapByNode('RSA_AES_KEY_WRAP_SHA_256', publicKey, randomBytes(32)).toString('base64');
  const asked = { KeyId, ImportToken, EncryptedKeyMaterial };
  const never = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' };
  expect((await byImporter('ImportKeyMaterial', { ...asked, ...never }))[0]).toBe(denied);
  const tooFar = { ValidTo: Date.parse(UNTIL) / 1000 + 1 };
  expect((await byImporter('ImportKeyMaterial', { ...asked, ...tooFar }))[0]).toBe(denied);
  const ValidTo = Math.floor(Date.now() / 1000) + 3600;
  expect((await byImporter('ImportKeyMaterial', { ...asked, ValidTo }))[0]).toBe('allowed');
  expect((await byImporter('DeleteImportedKeyMaterial', { KeyId }))[0]).toBe(denied);
  await ok('DeleteImportedKeyMaterial', { KeyId });
});

test('Who may not import learns nothing of token or material', async () => {
  const { KeyMetadata } = await ok('CreateKey', { Origin: 'EXTERNAL' });
  const { KeyId } = KeyMetadata as { KeyId: string };
  const rubbish = {
    ImportToken: 'AA==',
    EncryptedKeyMaterial: 'AA==',
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  };
  expect((await byImporter('ImportKeyMaterial', { KeyId, ...rubbish }))[0]).toBe('AccessDeniedException');
});
