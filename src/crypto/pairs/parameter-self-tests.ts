/**
 * Known answers for the curves and sizes that `self-tests.ts` does not go through, by node:crypto alone: the code beside it, for what it
 * does not do, is the same for each curve and size, and its tables would cost every start a tenth of a second a curve.
 */
import { createPublicKey, decapsulate, diffieHellman, encapsulate, sign, verify } from 'node:crypto';
import { concatBytes, equalBytes } from '../bytes.ts';
import type { SelfTest } from '../self-test-case.ts';
import {
  CURVE_BYTES,
  ENCAPSULATED_BYTES,
  encodePublicKey,
  type EcCurve,
  type KeyPair,
  type MlDsa,
  type MlKem,
} from './key-pair.ts';
import { forged, LATTICE_KEY_AT, must, pairOf, sha256, unhex } from './self-test-checks.ts';

const MESSAGE = Buffer.from('sample', 'ascii');

type OtherCurve = Exclude<EcCurve, 'prime256v1'>;
/** In DER. */
const OIDS = {
  secp384r1: '06052b81040022',
  secp521r1: '06052b81040023',
  secp256k1: '06052b8104000a',
} as const satisfies Record<OtherCurve, string>;

/** A value of less than 128 bytes, of hex and in hex. */
const der = (tag: string, content: string): string =>
  `${tag}${(content.length / 2).toString(16).padStart(2, '0')}${content}`;

function ecPair(curve: OtherCurve, secret: string): KeyPair {
  const algorithm = der('30', `06072a8648ce3d0201${OIDS[curve]}`);
  const key = der('04', der('30', `020101${der('04', secret)}`));
  return pairOf({ type: 'ec', curve }, unhex(der('30', `020100${algorithm}${key}`)));
}

/** `signature` is a published one: ours have another nonce each time. The answer is the public key. */
function ecdsaAnswer(curve: OtherCurve, hash: string, secret: string, signature: string): Uint8Array {
  const { privateKey, publicKey } = ecPair(curve, secret);
  const published = unhex(signature);
  must(verify(hash, MESSAGE, publicKey, published), 'refuses a right signature');
  must(!verify(hash, MESSAGE, publicKey, forged(published)), 'takes a forged signature');
  must(verify(hash, MESSAGE, publicKey, sign(hash, MESSAGE, privateKey)), 'does not verify what it signed');
  return encodePublicKey(publicKey).subarray(-2 * CURVE_BYTES[curve]);
}

function ecdhAnswer(curve: OtherCurve, secret: string, peer: string): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.from(peer, 'hex'), format: 'der', type: 'spki' });
  return diffieHellman({ privateKey: ecPair(curve, secret).privateKey, publicKey });
}

/** PKCS #8 of the seed 00 01 02 ... */
const latticePair = (type: MlDsa | MlKem, prefix: string, seedBytes: number): KeyPair =>
  pairOf(
    { type },
    concatBytes(
      unhex(prefix),
      Uint8Array.from({ length: seedBytes }, (_, at) => at),
    ),
  );
const publicDigest = ({ publicKey }: KeyPair): Uint8Array =>
  sha256(encodePublicKey(publicKey).subarray(LATTICE_KEY_AT));

const mlDsa = (name: string, type: MlDsa, oid: string, answer: string): SelfTest => ({
  name,
  source: 'SHA-256 of the public key of a seed, computed by another implementation of FIPS 204 (@noble/post-quantum)',
  run: () => {
    const pair = latticePair(type, `3034020100300b0609608648016503040${oid}04228020`, 32);
    const signature = sign(null, MESSAGE, pair.privateKey);
    must(verify(null, MESSAGE, pair.publicKey, signature), 'refuses a right signature');
    must(!verify(null, MESSAGE, pair.publicKey, forged(signature)), 'takes a forged signature');
    return publicDigest(pair);
  },
  answer,
});

const mlKem = (name: string, type: MlKem, oid: string, answer: string): SelfTest => ({
  name,
  source:
    'SHA-256 of the public key of a seed, and the secret that is given for a ciphertext of sevens, computed by another implementation of FIPS 203 (@noble/post-quantum)',
  run: () => {
    const pair = latticePair(type, `3054020100300b0609608648016503040${oid}04428040`, 64);
    const { sharedKey, ciphertext } = encapsulate(pair.publicKey);
    must(equalBytes(decapsulate(pair.privateKey, ciphertext), sharedKey), 'does not give back a secret');
    const rejected = decapsulate(pair.privateKey, new Uint8Array(ENCAPSULATED_BYTES[type]).fill(7));
    return concatBytes(publicDigest(pair), rejected);
  },
  answer,
});

export const PARAMETER_SELF_TESTS: readonly SelfTest[] = [
  {
    name: 'ECDSA P-384',
    source: 'RFC 6979, A.2.6, SHA-384 of "sample"',
    run: () =>
      ecdsaAnswer(
        'secp384r1',
        'sha384',
        '6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5',
        '306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46' +
          '02310099ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8',
      ),
    answer:
      'ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13' +
      '8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720',
  },
  {
    name: 'ECDSA P-521',
    source: 'RFC 6979, A.2.7, SHA-512 of "sample"',
    run: () =>
      ecdsaAnswer(
        'secp521r1',
        'sha512',
        '00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538',
        '308187024200c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa' +
          '0241617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a',
      ),
    answer:
      '01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a4' +
      '00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5',
  },
  {
    name: 'ECDSA secp256k1',
    source: 'computed from RFC 6979, 3.2 and SEC 2, 2.4.1 with the integers of another language, SHA-256 of "sample"',
    run: () =>
      ecdsaAnswer(
        'secp256k1',
        'sha256',
        'c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721',
        '30440220432310e32cb80eb6503a26ce83cc165c783b870845fb8aad6d970889fcd7a6c8' +
          '0220530128b6b81c548874a6305d93ed071ca6e05074d85863d4056ce89b02bfab69',
      ),
    answer:
      '2c8c31fc9f990c6b55e3865a184a4ce50e09481f2eaeb3e60ec1cea13a6ae645' +
      '64b95e4fdb6948c0386e189b006a29f686769b011704275e4459822dc3328085',
  },
  {
    name: 'ECDH P-384',
    source: 'Wycheproof, ecdh_secp384r1_test.json, test 1',
    run: () =>
      ecdhAnswer(
        'secp384r1',
        '766e61425b2da9f846c09fc3564b93a6f8603b7392c785165bf20da948c49fd1fb1dee4edd64356b9f21c588b75dfd81',
        '3076301006072a8648ce3d020106052b8104002203620004790a6e059ef9a5940163183d4a7809135d29791643fc43a2f17ee8bf677ab84f' +
          '791b64a6be15969ffa012dd9185d8796d9b954baa8a75e82df711b3b56eadff6b0f668c3b26b4b1aeb308a1fcc1c680d329a6705025f1c98a0b5e5bfcb163caa',
      ),
    answer: '6461defb95d996b24296f5a1832b34db05ed031114fbe7d98d098f93859866e4de1e229da71fef0c77fe49b249190135',
  },
  {
    name: 'ECDH P-521',
    source: 'Wycheproof, ecdh_secp521r1_test.json, test 1',
    run: () =>
      ecdhAnswer(
        'secp521r1',
        '01939982b529596ce77a94bc6efd03e92c21a849eb4f87b8f619d506efc9bb22e7c61640c90d598f795b64566dc6df43992ae34a1341d458574440a7371f611c7dcd',
        '30819b301006072a8648ce3d020106052b8104002303818600040064da3e94733db536a74a0d8a5cb2265a31c54a1da6529a198377fbd38575d9d79769ca2bdf2d4c97' +
          '2642926d444891a652e7f492337251adf1613cf3077999b5ce00e04ad19cf9fd4722b0c824c069f70c3c0e7ebc5288940dfa92422152ae4a4f79183ced375afb54db' +
          '1409ddf338b85bb6dbfc5950163346bb63a90a70c5aba098f7',
      ),
    answer:
      '01f1e410f2c6262bce6879a3f46dfb7dd11d30eeee9ab49852102e1892201dd10f27266c2cf7cbccc7f6885099043dad80ff57f0df96acf283fb090de53df95f7d87',
  },
  mlDsa('ML-DSA-65', 'ml-dsa-65', '312', 'd666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9'),
  mlDsa('ML-DSA-87', 'ml-dsa-87', '313', '91dc389cfaa01470b7f66eee45a4ae9026d154817c754dfe22298b3fa241ffcd'),
  mlKem(
    'ML-KEM-768',
    'ml-kem-768',
    '402',
    '0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9' +
      '6af8566807ee28016311ecce36f46cddb3f51323272875b07f5ea60a47ce17e9',
  ),
  mlKem(
    'ML-KEM-1024',
    'ml-kem-1024',
    '403',
    'c7b8fa0aa471d5ae18922d6ccad5b31e1d84f92ae723abfd13747018740a8530' +
      '48738bff1b67ac2f885eab7c047ca6e03babf0d1b90352a603254636765f5a08',
  ),
];
