/** Every scheme of every size against Project Wycheproof, signatures both of messages and of digests. */
import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../../test/support/client-cache.ts';
import { outcomes, vectorGroups, wycheproofVectors, type VectorGroup } from '../../../test/support/wycheproof.ts';
import { verifyDigest, type DigestScheme } from './digest-signature.ts';
import { PairCrypto } from './pair-crypto.ts';
import { openPeerKey } from './peer-key.ts';
import type { SignatureHash } from './rsa-encoding.ts';

const pairs = new PairCrypto(() => new Error('busy'));
afterAll(() => pairs.close());

let vectors: BuiltClient;
beforeAll(async () => {
  vectors = await wycheproofVectors();
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (vectors.type === 'none') skip(vectors.reason);
});

const groupsOf = (file: string): readonly VectorGroup[] =>
  vectors.type === 'built' ? vectorGroups(vectors.folder, file) : [];
const unhex = (text = ''): Buffer => Buffer.from(text, 'hex');
const publicKeyOf = ({ publicKeyDer }: VectorGroup): KeyObject =>
  createPublicKey({ key: unhex(publicKeyDer), format: 'der', type: 'spki' });

describe('signatures', () => {
  const hashes = ['sha256', 'sha384', 'sha512'] as const;
  const pkcs1 = ([2048, 3072, 4096] as const).flatMap((bits) =>
    hashes.map((hash) => [`rsa_signature_${bits}_${hash}`, 'rsa-pkcs1', hash] as const),
  );
  const rows: readonly (readonly [string, 'rsa-pkcs1' | 'rsa-pss' | 'ecdsa', SignatureHash])[] = [
    ...pkcs1,
    ['rsa_pss_2048_sha256_mgf1_32', 'rsa-pss', 'sha256'],
    ['rsa_pss_2048_sha384_mgf1_48', 'rsa-pss', 'sha384'],
    ['rsa_pss_3072_sha256_mgf1_32', 'rsa-pss', 'sha256'],
    ['rsa_pss_4096_sha256_mgf1_32', 'rsa-pss', 'sha256'],
    ['rsa_pss_4096_sha384_mgf1_48', 'rsa-pss', 'sha384'],
    ['rsa_pss_4096_sha512_mgf1_64', 'rsa-pss', 'sha512'],
    ['ecdsa_secp256r1_sha256', 'ecdsa', 'sha256'],
    ['ecdsa_secp384r1_sha384', 'ecdsa', 'sha384'],
    ['ecdsa_secp521r1_sha512', 'ecdsa', 'sha512'],
    ['ecdsa_secp256k1_sha256', 'ecdsa', 'sha256'],
  ];

  test.each(rows)('%s', async (file, type, hash) => {
    const scheme: DigestScheme & { readonly hash: string } = { type, hash };
    let count = 0;
    for (const group of groupsOf(file)) {
      const key = publicKeyOf(group);
      for (const one of group.tests) {
        const [message, signature] = [unhex(one['msg']), unhex(one['sig'])];
        const digest = createHash(hash).update(message).digest();
        const taken = [
          await pairs.verifyMessage({ type, hash }, key, message, signature),
          verifyDigest(scheme, key, digest, signature),
        ];
        for (const each of taken)
          expect([one.tcId, outcomes(one, true, false)]).toEqual([one.tcId, expect.arrayContaining([each])]);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(60);
  });

  test('ed25519', async () => {
    let count = 0;
    for (const group of groupsOf('ed25519')) {
      const key = publicKeyOf(group);
      for (const one of group.tests) {
        const taken = await pairs.verifyMessage({ type: 'ed25519' }, key, unhex(one['msg']), unhex(one['sig']));
        expect([one.tcId, outcomes(one, true, false)]).toEqual([one.tcId, expect.arrayContaining([taken])]);
        count += 1;
      }
    }
    expect(count).toBeGreaterThan(100);
  });
});

test.each([
  ['rsa_oaep_2048_sha1_mgf1sha1', 'sha1'],
  ['rsa_oaep_2048_sha256_mgf1sha256', 'sha256'],
  ['rsa_oaep_3072_sha256_mgf1sha256', 'sha256'],
  ['rsa_oaep_4096_sha256_mgf1sha256', 'sha256'],
] as const)('%s', async (file, hash) => {
  let count = 0;
  for (const { privateKeyPkcs8, tests } of groupsOf(file)) {
    const key = createPrivateKey({ key: unhex(privateKeyPkcs8), format: 'der', type: 'pkcs8' });
    for (const one of tests) {
      // Ours have none.
      if (one['label'] !== '') continue;
      const opened = await pairs.decrypt(hash, key, unhex(one['ct']));
      const shown = opened === undefined ? undefined : Buffer.from(opened).toString('hex');
      expect([one.tcId, outcomes(one, one['msg'], undefined)]).toEqual([one.tcId, expect.arrayContaining([shown])]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(20);
});

/** The private number as a key. */
function ecKey(curve: string, crv: string, bytes: number, secret: string): KeyObject {
  const number = unhex(secret.padStart(2 * bytes, '0').slice(-2 * bytes));
  const ecdh = createECDH(curve);
  ecdh.setPrivateKey(number);
  const point = ecdh.getPublicKey();
  const text = (part: Uint8Array): string => Buffer.from(part).toString('base64url');
  const [x, y] = [text(point.subarray(1, 1 + bytes)), text(point.subarray(1 + bytes))];
  return createPrivateKey({ key: { kty: 'EC', crv, x, y, d: text(number) }, format: 'jwk' });
}

test.each([
  ['ecdh_secp256r1', 'prime256v1', 'P-256', 32],
  ['ecdh_secp384r1', 'secp384r1', 'P-384', 48],
  ['ecdh_secp521r1', 'secp521r1', 'P-521', 66],
] as const)('%s', async (file, curve, crv, bytes) => {
  let [agreed, refused] = [0, 0];
  for (const { tests } of groupsOf(file)) {
    for (const one of tests) {
      const peer = openPeerKey(curve, unhex(one['public']));
      const made =
        peer === undefined ? undefined : await pairs.agree(ecKey(curve, crv, bytes, one['private'] ?? ''), peer);
      const shown = made === undefined ? undefined : Buffer.from(made).toString('hex');
      expect([one.tcId, outcomes(one, one['shared'], undefined)]).toEqual([one.tcId, expect.arrayContaining([shown])]);
      if (shown === undefined) refused += 1;
      else agreed += 1;
    }
  }
  expect(agreed).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(20);
});
