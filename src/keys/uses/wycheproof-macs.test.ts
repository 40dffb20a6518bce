/** MACs of every HMAC key spec against Project Wycheproof. */
import { createSecretKey } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../../test/support/client-cache.ts';
import { outcomes, vectorGroups, wycheproofVectors } from '../../../test/support/wycheproof.ts';
import { macOf } from '../material.ts';

let vectors: BuiltClient;
beforeAll(async () => {
  vectors = await wycheproofVectors();
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (vectors.type === 'none') skip(vectors.reason);
});

test.each(['sha224', 'sha256', 'sha384', 'sha512'])('hmac_%s', (hash) => {
  if (vectors.type === 'none') return;
  let count = 0;
  for (const { tests } of vectorGroups(vectors.folder, `hmac_${hash}`)) {
    for (const one of tests) {
      const { key = '', msg = '', tag = '', tcId } = one;
      const mac = macOf({ type: 'mac', key: createSecretKey(Buffer.from(key, 'hex')), hash }, Buffer.from(msg, 'hex'));
      // Some ask for the first half of it.
      const isRight = Buffer.from(mac).toString('hex').startsWith(tag);
      expect([tcId, isRight]).toEqual([tcId, ...outcomes(one, true, false)]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(100);
});
