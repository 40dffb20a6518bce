/** Key agreement against Wycheproof, the other side's public key as it comes. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { wycheproof } from '../../../test/support/shared.ts';
import { PairCrypto } from './pair-crypto.ts';
import { openPeerKey } from './peer-key.ts';

const pairs = new PairCrypto(() => new Error('busy'));
afterAll(() => pairs.close());

/** PKCS #8 of a private number on P-256. */
function p256Key(secret: string): KeyObject {
  const number = secret.padStart(64, '0').slice(-64);
  const encoded = `3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420${number}`;
  return createPrivateKey({ key: Buffer.from(encoded, 'hex'), format: 'der', type: 'pkcs8' });
}

test('ecdh_secp256r1_test.json', async ({ skip }) => {
  let [agreed, refused] = [0, 0];
  for (const { tests } of wycheproof('ecdh_secp256r1_test.json', skip)) {
    for (const { public: given = '', private: secret = '', shared, result, tcId } of tests) {
      const peer = openPeerKey('prime256v1', Buffer.from(given, 'hex'));
      const made = peer === undefined ? undefined : await pairs.agree(p256Key(secret), peer);
      const shown = made === undefined ? undefined : Buffer.from(made).toString('hex');
      // What is acceptable may be refused, and otherwise has to come out right.
      const right = result === 'valid' ? [shared] : result === 'invalid' ? [undefined] : [shared, undefined];
      expect([tcId, right]).toEqual([tcId, expect.arrayContaining([shown])]);
      if (shown === undefined) refused += 1;
      else agreed += 1;
    }
  }
  expect(agreed).toBeGreaterThan(200);
  expect(refused).toBeGreaterThan(20);
});
