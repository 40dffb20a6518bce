import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { takeKey } from '../../crypto/key-types.ts';
import { encodePublicKey, generatePair } from '../../crypto/pairs/key-pair.ts';
import { deriveRootKeys } from '../root/root-keys.ts';
import { ServiceKeys } from '../service-keys.ts';
import { openToken, sealToken, type TokenFacts, type TokenKey } from './import-token.ts';

const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
const service = (): ServiceKeys => {
  const storeId = new Uint8Array(16);
  const vault = { storeId, keys: deriveRootKeys(takeKey('RootKey', random(32)), storeId) };
  return new ServiceKeys({ serviceEpochs: [] }, vault, { owned: () => undefined });
};

const ours = service();
const ofKey: TokenKey = { uuid: random(16), region: undefined };
const pair = await generatePair({ type: 'rsa', bits: 2048 });
const FACTS: TokenFacts = { algorithm: 'RSAES_OAEP_SHA_256', wrappingSpec: 'RSA_2048', validTo: 1000 };
const token = sealToken(FACTS, ofKey, pair, ours, random);

/** The code of what is thrown. */
function refusal(bytes: Uint8Array, asked = ofKey, keys = ours, now = 999): unknown {
  try {
    openToken(bytes, asked, keys, now);
    return 'opened';
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

test('A token gives back what it was made of', () => {
  const { pair: opened, ...facts } = openToken(token, ofKey, ours, 999);
  expect(facts).toMatchObject(FACTS);
  expect(encodePublicKey(opened.publicKey)).toEqual(encodePublicKey(pair.publicKey));
});

test('From its last millisecond on it is expired; of another key or store, it is not valid, expired or not', () => {
  expect(refusal(token, ofKey, ours, 1000)).toBe('ERR_KEYS_IMPORT_TOKEN_EXPIRED');
  for (const now of [999, 1000]) {
    expect(refusal(token, { ...ofKey, uuid: random(16) }, ours, now)).toBe('ERR_KEYS_IMPORT_TOKEN');
    expect(refusal(token, { ...ofKey, region: 'us-west-2' }, ours, now)).toBe('ERR_KEYS_IMPORT_TOKEN');
    expect(refusal(token, ofKey, service(), now)).toBe('ERR_KEYS_IMPORT_TOKEN');
  }
});

test('Cut at any byte, with any byte changed, or with more behind it, it is not valid', () => {
  for (let at = 0; at < token.length; at += 1) {
    expect(refusal(token.subarray(0, at))).toBe('ERR_KEYS_IMPORT_TOKEN');
    const changed = Uint8Array.from(token);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    expect([at, refusal(changed)]).toEqual([at, 'ERR_KEYS_IMPORT_TOKEN']);
  }
  expect(refusal(Uint8Array.from([...token, 0]))).toBe('ERR_KEYS_IMPORT_TOKEN');
});

test('Whatever is given, and with whatever in a header of ours, nothing else is said', () => {
  const header = fc.uint8Array({ minLength: 19, maxLength: 19 });
  const forged = fc.tuple(header, fc.uint8Array({ maxLength: 100 })).map(([fields, rest]) => {
    return Uint8Array.from([...token.subarray(0, 5), ...fields, ...rest]);
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), forged), (bytes) => {
      expect(refusal(bytes)).toBe('ERR_KEYS_IMPORT_TOKEN');
    }),
    { numRuns: 1000 },
  );
});
