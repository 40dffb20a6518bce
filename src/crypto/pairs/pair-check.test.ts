/** The test of a new pair finds halves that do not belong together, whatever the pair is for. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { afterAll, expect, test } from 'vitest';
import { encodePrivateKey, encodePublicKey, generatePair, openPair, type PairKind } from './key-pair.ts';
import { seedIn } from './lattice-seed.ts';
import { isConsistent, type PairPurpose } from './pair-check.ts';
import { PairCrypto } from './pair-crypto.ts';

const pairs = new PairCrypto(() => new Error('busy'));
afterAll(() => pairs.close());

const ROWS: readonly (readonly [PairKind, PairPurpose])[] = [
  [
    { type: 'rsa', bits: 2048 },
    { type: 'sign', scheme: { type: 'rsa-pkcs1', hash: 'sha256' } },
  ],
  [{ type: 'rsa', bits: 2048 }, { type: 'encrypt' }],
  [
    { type: 'ec', curve: 'secp384r1' },
    { type: 'sign', scheme: { type: 'ecdsa', hash: 'sha384' } },
  ],
  [
    { type: 'ec', curve: 'secp521r1' },
    { type: 'agree', curve: 'secp521r1' },
  ],
  [{ type: 'ed25519' }, { type: 'sign', scheme: { type: 'ed25519' } }],
  [{ type: 'ml-dsa-87' }, { type: 'sign', scheme: { type: 'ml-dsa' } }],
  [{ type: 'ml-kem-512' }, { type: 'encapsulate' }],
  [{ type: 'ml-kem-1024' }, { type: 'encapsulate' }],
];

test.each(ROWS)('%o, %o', async (kind, purpose) => {
  const [pair, other] = [await generatePair(kind), await generatePair(kind)];
  expect(await isConsistent(pair, purpose, pairs)).toBe(true);
  const mixed = { privateKey: pair.privateKey, publicKey: other.publicKey };
  expect(await isConsistent(mixed, purpose, pairs)).toBe(false);
});

// Node.js 24 exports it so.
test.each([
  ['ml-dsa-44', ml_dsa44, 32],
  ['ml-dsa-65', ml_dsa65, 32],
  ['ml-dsa-87', ml_dsa87, 32],
  ['ml-kem-512', ml_kem512, 64],
  ['ml-kem-768', ml_kem768, 64],
  ['ml-kem-1024', ml_kem1024, 64],
] as const)('The seed of %s is found beside the expanded key too, and kept alone', async (type, scheme, bytes) => {
  const encoded = encodePrivateKey(await generatePair({ type }));
  const seed = encoded.subarray(-bytes);
  expect([encoded.length, seedIn(type, encoded)]).toEqual([22 + bytes, Uint8Array.from(seed)]);
  const length = (all: number): Uint8Array => Uint8Array.of(0x82, all >> 8, all & 255);
  const { secretKey } = scheme.keygen(Uint8Array.from(seed));
  const both = [Uint8Array.of(4, bytes), seed, Uint8Array.of(4), length(secretKey.length), secretKey];
  const inner = Buffer.concat([Uint8Array.of(0x30), length(Buffer.concat(both).length), ...both]);
  const body = Buffer.concat([encoded.subarray(2, 18), Uint8Array.of(4), length(inner.length), inner]);
  const beside = Buffer.concat([Uint8Array.of(0x30), length(body.length), body]);
  expect(seedIn(type, beside)).toEqual(Uint8Array.from(seed));
  const opened = openPair({ type }, beside);
  expect(opened && encodePrivateKey(opened)).toEqual(encoded);
  expect(() => seedIn(type, beside.subarray(1))).toThrow('without its seed');
});

test.each(ROWS.map(([kind]) => kind))(
  '%o comes back out of its encoding, and is none of another kind',
  async (kind) => {
    const pair = await generatePair(kind);
    const encoded = encodePrivateKey(pair);
    const opened = openPair(kind, encoded);
    expect(opened?.privateKey.equals(pair.privateKey)).toBe(true);
    expect(opened && encodePublicKey(opened.publicKey)).toEqual(encodePublicKey(pair.publicKey));
    const others: readonly PairKind[] = [
      { type: 'rsa', bits: 3072 },
      { type: 'ec', curve: 'prime256v1' },
      { type: 'ml-dsa-44' },
    ];
    for (const other of others) expect(openPair(other, encoded)).toBeUndefined();
    for (const cut of [encoded.subarray(1), encoded.subarray(0, -1), new Uint8Array()])
      expect(openPair(kind, cut)).toBeUndefined();
  },
);
