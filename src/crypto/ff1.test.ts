/** FF1 against Project Wycheproof, for the radixes of our alphabets. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT_BUILD_TIMEOUT_MS, type BuiltClient } from '../../test/support/client-cache.ts';
import { vectorGroups, wycheproofVectors } from '../../test/support/wycheproof.ts';
import { decryptFf1, encryptFf1, FF1_LEAST_VALUES } from './ff1.ts';
import { takeKey } from './key-types.ts';

let vectors: BuiltClient;
beforeAll(async () => {
  vectors = await wycheproofVectors();
}, CLIENT_BUILD_TIMEOUT_MS);
beforeEach(({ skip }) => {
  if (vectors.type === 'none') skip(vectors.reason);
});

type FpeGroup = {
  readonly keySize: number;
  readonly radix: number;
  readonly tests: readonly {
    readonly tcId: number;
    readonly key: string;
    readonly tweak: string;
    readonly msg: readonly number[];
    readonly ct: readonly number[];
    readonly result: string;
  }[];
};

describe.each([10, 36, 62])('radix %i', (radix) => {
  test('vectors of AES-256 encrypt and decrypt as they should, invalid ones are too few values or refused', () => {
    if (vectors.type !== 'built') return;
    // The schema of these files (fpe_list_test_schema.json) has numbers where others have strings.
    const groups = vectorGroups(vectors.folder, `aes_ff1_radix${radix}`) as unknown as readonly FpeGroup[];
    let tried = 0;
    for (const { keySize, tests } of groups) {
      if (keySize !== 256) continue;
      for (const { tcId, key, tweak, msg, ct, result } of tests) {
        const dek = takeKey('Dek', Uint8Array.from(Buffer.from(key, 'hex')));
        const tweakBytes = Uint8Array.from(Buffer.from(tweak, 'hex'));
        const few = radix ** msg.length < FF1_LEAST_VALUES;
        const refused = (): boolean => {
          try {
            encryptFf1(dek, radix, tweakBytes, msg);
            return false;
          } catch {
            return true;
          }
        };
        tried += 1;
        if (result !== 'valid') expect(few || refused(), `test ${tcId}`).toBe(true);
        if (result !== 'valid') continue;
        expect(encryptFf1(dek, radix, tweakBytes, msg), `test ${tcId}`).toEqual(ct);
        expect(decryptFf1(dek, radix, tweakBytes, ct), `test ${tcId}`).toEqual(msg);
      }
    }
    expect(tried).toBeGreaterThan(500);
  });
});

test('the samples of NIST for AES-256 (FF1samples.pdf, 7 to 9)', () => {
  const key = (): ReturnType<typeof takeKey<'Dek'>> =>
    takeKey(
      'Dek',
      Uint8Array.from(Buffer.from('2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94', 'hex')),
    );
  const digits = (text: string): number[] => Array.from(text, (one) => Number.parseInt(one, 36));
  const tweak = Uint8Array.from(Buffer.from('39383736353433323130', 'hex'));
  expect(encryptFf1(key(), 10, new Uint8Array(0), digits('0123456789'))).toEqual(digits('6657667009'));
  expect(encryptFf1(key(), 10, tweak, digits('0123456789'))).toEqual(digits('1001623463'));
  expect(
    encryptFf1(key(), 36, Uint8Array.from(Buffer.from('3737373770717273373737', 'hex')), digits('0123456789abcdefghi')),
  ).toEqual(digits('xs8a0azh2avyalyzuwd'));
});
