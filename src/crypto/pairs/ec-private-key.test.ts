import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { encodeEcPrivateKey } from './ec-private-key.ts';

test.each(['prime256v1', 'secp384r1', 'secp521r1', 'secp256k1'] as const)(
  'A private key on %s is encoded as OpenSSL encodes those that it makes',
  (curve) => {
    // Many, for numbers that begin with zeros.
    for (let round = 0; round < 300; round++) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
      const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
      expect(Buffer.from(encodeEcPrivateKey(curve, privateKey)).equals(pkcs8)).toBe(true);
    }
  },
);

test('Without its public half, it is the same private key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const whole = privateKey.export({ format: 'der', type: 'pkcs8' });
  const bare = Buffer.concat([
    Buffer.from('3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420', 'hex'),
    whole.subarray(36, 68),
  ]);
  const read = createPrivateKey({ key: bare, format: 'der', type: 'pkcs8' });
  expect(createPublicKey(read).equals(publicKey)).toBe(true);
  expect(Buffer.from(encodeEcPrivateKey('prime256v1', read)).equals(whole)).toBe(true);
});
