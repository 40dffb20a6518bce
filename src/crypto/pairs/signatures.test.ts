/** Signatures over messages (OpenSSL's) and over digests (our own encoding, @noble/curves): each verifies the other's, and Wycheproof. */
import { createHash, type KeyObject } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { signDigest, type DigestScheme } from './digest-signature.ts';
import { generatePair, type PairKind } from './key-pair.ts';
import { PairCrypto } from './pair-crypto.ts';

const pairs = new PairCrypto(() => new Error('busy'));
afterAll(() => pairs.close());

type Hashed = Exclude<DigestScheme, { readonly type: 'ed25519ph' | 'ml-dsa-mu' }>;
const RSA = (['sha256', 'sha384', 'sha512'] as const).flatMap((hash): Hashed[] => [
  { type: 'rsa-pss', hash },
  { type: 'rsa-pkcs1', hash },
]);
const KINDS: readonly (readonly [PairKind, readonly Hashed[]])[] = [
  [{ type: 'rsa', bits: 2048 }, RSA],
  [{ type: 'rsa', bits: 3072 }, RSA],
  [{ type: 'rsa', bits: 4096 }, RSA],
  [{ type: 'ec', curve: 'prime256v1' }, [{ type: 'ecdsa', hash: 'sha256' }]],
  [{ type: 'ec', curve: 'secp384r1' }, [{ type: 'ecdsa', hash: 'sha384' }]],
  [{ type: 'ec', curve: 'secp521r1' }, [{ type: 'ecdsa', hash: 'sha512' }]],
  [{ type: 'ec', curve: 'secp256k1' }, [{ type: 'ecdsa', hash: 'sha256' }]],
];
const ROWS = KINDS.flatMap(([kind, schemes]) => schemes.map((scheme) => ({ kind, scheme })));

const digestOf = ({ hash }: Hashed, message: Uint8Array): Uint8Array => createHash(hash).update(message).digest();
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const changed = Uint8Array.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

test.each(ROWS)('$kind, $scheme: what one signs the other verifies, and nothing else', async ({ kind, scheme }) => {
  const { privateKey, publicKey } = await generatePair(kind);
  const other = await generatePair(kind);
  for (const message of [Buffer.from('a message'), new Uint8Array(), Buffer.alloc(4096, 1)]) {
    const digest = digestOf(scheme, message);
    for (const signature of [
      await pairs.signMessage(scheme, privateKey, message),
      await pairs.signDigest(scheme, privateKey, digest),
    ]) {
      expect(await pairs.verifyMessage(scheme, publicKey, message, signature)).toBe(true);
      expect(await pairs.verifyDigest(scheme, publicKey, digest, signature)).toBe(true);
      const wrong = [
        [publicKey, message, flipped(signature, signature.length - 1)],
        [publicKey, message, flipped(signature, 40)],
        [publicKey, message, signature.subarray(1)],
        [publicKey, message, Buffer.concat([signature, Buffer.alloc(1)])],
        [publicKey, message, new Uint8Array()],
        [publicKey, Buffer.from('another'), signature],
        [other.publicKey, message, signature],
      ] as const;
      for (const [key, text, forged] of wrong) {
        expect(await pairs.verifyMessage(scheme, key, text, forged)).toBe(false);
        expect(await pairs.verifyDigest(scheme, key, digestOf(scheme, text), forged)).toBe(false);
      }
    }
  }
});

test('Two signatures of one digest by PSS and ECDSA differ, and those by PKCS #1 v1.5 do not', async () => {
  const digest = createHash('sha256').update('x').digest();
  const rsa = await generatePair({ type: 'rsa', bits: 2048 });
  const ec = await generatePair({ type: 'ec', curve: 'prime256v1' });
  const twice = (type: 'rsa-pss' | 'rsa-pkcs1' | 'ecdsa', key: KeyObject): Uint8Array[] =>
    [0, 1].map(() => signDigest({ type, hash: 'sha256' }, key, digest));
  expect(new Set(twice('rsa-pss', rsa.privateKey).map(String)).size).toBe(2);
  expect(new Set(twice('ecdsa', ec.privateKey).map(String)).size).toBe(2);
  expect(new Set(twice('rsa-pkcs1', rsa.privateKey).map(String)).size).toBe(1);
});

// OpenSSL takes it: a number is a number.
test('A signature by RSA without its leading zero is none', async () => {
  const { privateKey, publicKey } = await generatePair({ type: 'rsa', bits: 2048 });
  const digest = createHash('sha256').update('x').digest();
  for (const type of ['rsa-pss', 'rsa-pkcs1'] as const) {
    const scheme = { type, hash: 'sha256' } as const;
    let [message, signature] = [new Uint8Array(), new Uint8Array()];
    for (let count = 0; signature[0] !== 0; count += 1) {
      message = Buffer.from(String(count));
      signature = Uint8Array.from(await pairs.signMessage(scheme, privateKey, message));
    }
    for (const [given, isRight] of [
      [signature, true],
      [signature.subarray(1), false],
      [Buffer.concat([Buffer.alloc(1), signature]), false],
    ] as const) {
      expect(await pairs.verifyMessage(scheme, publicKey, message, given)).toBe(isRight);
      expect(await pairs.verifyDigest(scheme, publicKey, digestOf(scheme, message), given)).toBe(isRight);
    }
  }
  expect(await pairs.verifyDigest({ type: 'rsa-pss', hash: 'sha256' }, publicKey, digest, digest)).toBe(false);
});

test('Nor is a ciphertext', async () => {
  const { privateKey, publicKey } = await generatePair({ type: 'rsa', bits: 2048 });
  let ciphertext = new Uint8Array([1]);
  while (ciphertext[0] !== 0) ciphertext = Uint8Array.from(await pairs.encrypt('sha256', publicKey, Buffer.from('x')));
  expect(await pairs.decrypt('sha256', privateKey, ciphertext)).toEqual(new Uint8Array(Buffer.from('x')));
  for (const wrong of [ciphertext.subarray(1), Buffer.concat([Buffer.alloc(1), ciphertext])])
    expect(await pairs.decrypt('sha256', privateKey, wrong)).toBeUndefined();
});

test('Ed25519 and Ed25519ph of the same bytes are not each other', async () => {
  const { privateKey, publicKey } = await generatePair({ type: 'ed25519' });
  const text = createHash('sha512').update('x').digest();
  const pure = await pairs.signMessage({ type: 'ed25519' }, privateKey, text);
  const hashed = await pairs.signDigest({ type: 'ed25519ph' }, privateKey, text);
  expect(await pairs.verifyMessage({ type: 'ed25519' }, publicKey, text, pure)).toBe(true);
  expect(await pairs.verifyDigest({ type: 'ed25519ph' }, publicKey, text, hashed)).toBe(true);
  expect(await pairs.verifyMessage({ type: 'ed25519' }, publicKey, text, hashed)).toBe(false);
  expect(await pairs.verifyDigest({ type: 'ed25519ph' }, publicKey, text, pure)).toBe(false);
});

describe.each(['ml-dsa-44', 'ml-dsa-65', 'ml-dsa-87'] as const)('%s', (type) => {
  /** FIPS 204, algorithm 2 and 7: of the encoded public key and the message, without a context. */
  function muOf(publicKey: KeyObject, message: Uint8Array): Uint8Array {
    const shake = (...parts: readonly Uint8Array[]): Buffer => {
      const hash = createHash('shake256', { outputLength: 64 });
      for (const part of parts) hash.update(part);
      return hash.digest();
    };
    // After 22 bytes of SubjectPublicKeyInfo.
    const tr = shake(publicKey.export({ format: 'der', type: 'spki' }).subarray(22));
    return shake(tr, Uint8Array.of(0, 0), message);
  }

  test('What is signed as a message verifies as its representative, and the other way round, and nothing else', async () => {
    const [pair, other] = [await generatePair({ type }), await generatePair({ type })];
    const message = Buffer.from('a message');
    const mu = muOf(pair.publicKey, message);
    for (const signature of [
      await pairs.signMessage({ type: 'ml-dsa' }, pair.privateKey, message),
      await pairs.signDigest({ type: 'ml-dsa-mu' }, pair.privateKey, mu),
    ]) {
      expect(await pairs.verifyMessage({ type: 'ml-dsa' }, pair.publicKey, message, signature)).toBe(true);
      expect(await pairs.verifyDigest({ type: 'ml-dsa-mu' }, pair.publicKey, mu, signature)).toBe(true);
      for (const [key, given, forged] of [
        [pair.publicKey, mu, flipped(signature, 0)],
        [pair.publicKey, mu, flipped(signature, signature.length - 1)],
        [pair.publicKey, mu, signature.subarray(1)],
        [pair.publicKey, flipped(mu, 0), signature],
        [other.publicKey, mu, signature],
      ] as const)
        expect(await pairs.verifyDigest({ type: 'ml-dsa-mu' }, key, given, forged)).toBe(false);
    }
    const twice = [0, 1].map(() => String(signDigest({ type: 'ml-dsa-mu' }, pair.privateKey, mu)));
    expect(new Set(twice).size).toBe(2);
  });
});
