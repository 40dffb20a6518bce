/** The symmetric primitives against Project Wycheproof; pairs, FF1 and MACs of key specs have theirs beside them. */
import { createSecretKey } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../test/support/client-cache.ts';
import { outcomes, vectorGroups, wycheproofVectors, type Vector } from '../../test/support/wycheproof.ts';
import { openAesGcm, sealAesGcm } from './aes-gcm.ts';
import { concatBytes, equalBytes } from './bytes.ts';
import { hkdfSha256 } from './hkdf.ts';
import { hmacSha256 } from './hmac.ts';
import { openKeptHmac } from './kept-hmac.ts';
import { unwrapPadded, wrapPadded } from './key-wrap.ts';

let vectors: BuiltClient;
beforeAll(async () => {
  vectors = await wycheproofVectors();
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (vectors.type === 'none') skip(vectors.reason);
});

/** These files have numbers where others have strings. */
type Sizes = { readonly keySize: number; readonly ivSize?: number; readonly tagSize?: number };
type Group = Sizes & { readonly tests: readonly (Vector & { readonly size: number })[] };

function groupsOf(file: string): readonly Group[] {
  return vectors.type === 'built' ? (vectorGroups(vectors.folder, file) as unknown as readonly Group[]) : [];
}
const unhex = (text = ''): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** In hex; `refused` where it throws. */
function answer(run: () => Uint8Array): string {
  try {
    return hex(run());
  } catch {
    return 'refused';
  }
}

test('AES-256-GCM with nonces of 96 bits opens what is right and nothing else, and seals to the same', () => {
  let count = 0;
  for (const { keySize, ivSize, tagSize, tests } of groupsOf('aes_gcm')) {
    if (keySize !== 256 || ivSize !== 96 || tagSize !== 128) continue;
    for (const one of tests) {
      const { key, iv, aad, msg, ct, tag } = one;
      const sealed = concatBytes(unhex(ct), unhex(tag));
      const opened = answer(() => openAesGcm(unhex(key), unhex(iv), sealed, unhex(aad)));
      expect([one.tcId, outcomes(one, msg, 'refused')]).toEqual([one.tcId, [opened]]);
      if (one.result === 'valid')
        expect(hex(sealAesGcm(unhex(key), unhex(iv), unhex(msg), unhex(aad)))).toBe(hex(sealed));
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(50);
});

test('KWP unwraps what is right and nothing else, and wraps to the same', () => {
  let count = 0;
  for (const { keySize, tests } of groupsOf('aes_kwp')) {
    if (keySize !== 256) continue;
    for (const one of tests) {
      const { key, msg = '', ct } = one;
      const secret = createSecretKey(unhex(key));
      const opened = unwrapPadded(secret, unhex(ct));
      const shown = opened === undefined ? undefined : hex(opened);
      expect([one.tcId, outcomes(one, msg, undefined)]).toEqual([one.tcId, expect.arrayContaining([shown])]);
      if (one.result === 'valid') expect(hex(wrapPadded(secret, unhex(msg)))).toBe(ct);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(80);
});

test('HKDF-SHA-256 derives what is right, and no more than it can', () => {
  let count = 0;
  for (const one of groupsOf('hkdf_sha256').flatMap(({ tests }) => tests)) {
    const { ikm, salt, info, okm, size } = one;
    const derived = answer(() => hkdfSha256(unhex(ikm), unhex(salt), unhex(info), size));
    expect([one.tcId, outcomes(one, okm, 'refused')]).toEqual([one.tcId, [derived]]);
    count += 1;
  }
  expect(count).toBeGreaterThan(50);
});

test('HMAC-SHA-256 is right, cut or whole', () => {
  let count = 0;
  for (const { tagSize = 0, tests } of groupsOf('hmac_sha256')) {
    for (const one of tests) {
      const [key, message] = [unhex(one['key']), unhex(one['msg'])];
      for (const whole of [hmacSha256(key, message), openKeptHmac(createSecretKey(key), message)]) {
        const mac = whole.subarray(0, tagSize / 8);
        expect([one.tcId, outcomes(one, true, false)]).toEqual([one.tcId, [equalBytes(mac, unhex(one['tag']))]]);
      }
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(100);
});
