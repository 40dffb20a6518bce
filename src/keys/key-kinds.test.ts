import { expect, test } from 'vitest';
import { SELF_TESTS } from '../crypto/self-test.ts';
import { algorithmsOf, keySpecs, kindOf, type KeySpec } from './key-kinds.ts';

/** The self-test of a parameter set: the first of each scheme is called by the scheme alone. */
const OF_SPEC: Readonly<Partial<Record<KeySpec, string>>> = {
  ECC_NIST_P384: ' P-384',
  ECC_NIST_P521: ' P-521',
  ECC_SECG_P256K1: ' secp256k1',
  ML_DSA_65: '-65',
  ML_DSA_87: '-87',
  ML_KEM_768: '-768',
  ML_KEM_1024: '-1024',
};
const OF_ALGORITHM: readonly (readonly [RegExp, string])[] = [
  [/^SYMMETRIC_DEFAULT$/u, 'AES-256-GCM'],
  [/^HMAC_SHA_(\d+)$/u, 'HMAC-SHA-$1'],
  [/^RSAES_OAEP_SHA_.*$/u, 'RSAES-OAEP'],
  [/^RSASSA_PSS_SHA_.*$/u, 'RSASSA-PSS'],
  [/^RSASSA_PKCS1_V1_5_SHA_.*$/u, 'RSASSA-PKCS1-v1_5'],
  [/^ED25519_SHA_512$/u, 'Ed25519'],
  [/^ED25519_PH_SHA_512$/u, 'Ed25519ph'],
  [/^ECDSA_SHA_.*$/u, 'ECDSA'],
  [/^ECDH$/u, 'ECDH'],
  [/^ML_DSA_SHAKE_256$/u, 'ML-DSA'],
  [/^ML_KEM$/u, 'ML-KEM'],
];

const triedAs = (spec: KeySpec, algorithm: string): string => {
  const [pattern, name] = OF_ALGORITHM.find(([each]) => each.test(algorithm)) ?? [/.*/u, 'nothing'];
  return algorithm.replace(pattern, name) + (OF_SPEC[spec] ?? '');
};

test.each(keySpecs())('Whatever a key of %s does is tried at the start, each hash by itself', (spec) => {
  const names = SELF_TESTS.map(({ name }) => name);
  const algorithms = kindOf(spec).usages.flatMap((usage) =>
    Object.values(algorithmsOf(spec, usage)).flatMap((each) => each ?? []),
  );
  expect(algorithms).not.toEqual([]);
  for (const algorithm of algorithms) {
    expect(names).toContain(triedAs(spec, algorithm));
    const [, hash] = /(?<!ML_DSA_)SHA_(\d+)$/u.exec(algorithm) ?? [];
    if (hash !== undefined) expect(names).toContain(`SHA-${hash}`);
  }
});
