/** Known answers of what is done with key pairs, for `self-test.ts`: each scheme in both of its implementations. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  sign,
  verify,
} from 'node:crypto';
import { equalBytes } from '../bytes.ts';
import type { SelfTest } from '../self-test-case.ts';
import { signDigest, verifyDigest, type DigestScheme } from './digest-signature.ts';
import { encodePublicKey, type KeyPair } from './key-pair.ts';
import { signMu, verifyMu } from './ml-dsa-mu.ts';
import { decryptOaep } from './rsa-oaep.ts';
import { forged, LATTICE_KEY_AT, must, pairOf, sha256, unhex } from './self-test-checks.ts';
import {
  ML_KEM_512_CIPHERTEXT,
  RSA_MESSAGE,
  RSA_OAEP_SHA256_CIPHERTEXT,
  RSA_PKCS1_SHA256_SIGNATURE,
  RSA_PRIVATE_KEY,
  RSA_PSS_SHA256_SIGNATURE,
} from './self-test-vectors.ts';
import { paddingOf } from './signature-scheme.ts';

type Hashed = Extract<DigestScheme, { readonly hash: string }>;

function shake256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('shake256', { outputLength: 64 });
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Takes what is published, and what each of the two signs, and nothing that was changed. */
function verifiesBoth(
  scheme: Hashed,
  { privateKey, publicKey }: KeyPair,
  message: Uint8Array,
  published: Uint8Array,
): void {
  const how = { key: publicKey, ...paddingOf(scheme) };
  const digest = sha256(message);
  const byMessage = sign(scheme.hash, message, { key: privateKey, ...paddingOf(scheme) });
  const byDigest = signDigest(scheme, privateKey, digest);
  for (const signature of [published, byMessage, byDigest])
    must(verify(scheme.hash, message, how, signature), 'refuses a right signature of a message');
  must(!verify(scheme.hash, message, how, forged(published)), 'takes a forged signature of a message');
  must(verifyDigest(scheme, publicKey, digest, published), 'refuses a right signature of a digest');
  must(!verifyDigest(scheme, publicKey, digest, forged(published)), 'takes a forged signature of a digest');
}

const rsaPair = (): KeyPair => pairOf({ type: 'rsa', bits: 2048 }, RSA_PRIVATE_KEY);
/** PKCS #8 of a private number on P-256. */
const p256Key = (secret: string): Uint8Array =>
  unhex(`3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420${secret}`);

export const PAIR_SELF_TESTS: readonly SelfTest[] = [
  {
    name: 'RSASSA-PKCS1-v1_5',
    source: 'computed from RFC 8017, 8.2.1 with the integers of another language',
    run: () => {
      const pair = rsaPair();
      const scheme = { type: 'rsa-pkcs1', hash: 'sha256' } as const;
      const signature = signDigest(scheme, pair.privateKey, sha256(RSA_MESSAGE));
      verifiesBoth(scheme, pair, RSA_MESSAGE, signature);
      return signature;
    },
    answer: RSA_PKCS1_SHA256_SIGNATURE,
  },
  {
    name: 'RSASSA-PSS',
    source: 'Wycheproof, rsa_pss_2048_sha256_mgf1_32_test.json, test 3',
    run: () => {
      verifiesBoth({ type: 'rsa-pss', hash: 'sha256' }, rsaPair(), RSA_MESSAGE, RSA_PSS_SHA256_SIGNATURE);
      return sha256(RSA_MESSAGE);
    },
    answer: '532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25',
  },
  {
    name: 'RSAES-OAEP',
    source: 'Wycheproof, rsa_oaep_2048_sha256_mgf1sha256_test.json, test 3',
    run: () => {
      const { privateKey } = rsaPair();
      must(
        decryptOaep('sha256', privateKey, forged(RSA_OAEP_SHA256_CIPHERTEXT)) === undefined,
        'opens what was forged',
      );
      return decryptOaep('sha256', privateKey, RSA_OAEP_SHA256_CIPHERTEXT) ?? new Uint8Array();
    },
    answer: '54657374',
  },
  {
    name: 'ECDSA',
    source: 'RFC 6979, A.2.5, SHA-256 of "sample"',
    run: () => {
      const encoded = p256Key('c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721');
      const pair = pairOf({ type: 'ec', curve: 'prime256v1' }, encoded);
      const published = unhex(
        '3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716' +
          '022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
      );
      verifiesBoth({ type: 'ecdsa', hash: 'sha256' }, pair, Buffer.from('sample', 'ascii'), published);
      return encodePublicKey(pair.publicKey).subarray(-65);
    },
    answer:
      '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6' +
      '7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
  },
  {
    name: 'Ed25519ph',
    source: 'RFC 8032, 7.3, test abc',
    run: () => {
      const seed = '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42';
      const pair = pairOf({ type: 'ed25519' }, unhex(`302e020100300506032b657004220420${seed}`));
      const [scheme, message] = [{ type: 'ed25519ph' } as const, Buffer.from('abc', 'ascii')];
      const signature = signDigest(scheme, pair.privateKey, message);
      must(verifyDigest(scheme, pair.publicKey, message, signature), 'refuses a right signature');
      must(!verifyDigest(scheme, pair.publicKey, message, forged(signature)), 'takes a forged signature');
      return signature;
    },
    answer:
      '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
      '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406',
  },
  {
    name: 'ML-DSA',
    source: 'SHA-256 of the public key of a seed, computed by another implementation of FIPS 204 (@noble/post-quantum)',
    run: () => {
      const seed = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
      const encoded = unhex(`3034020100300b060960864801650304031104228020${seed}`);
      const { privateKey, publicKey } = pairOf({ type: 'ml-dsa-44' }, encoded);
      const message = Buffer.from('abc', 'ascii');
      const signature = sign(null, message, privateKey);
      must(verify(null, message, publicKey, signature), 'refuses a right signature');
      must(!verify(null, message, publicKey, forged(signature)), 'takes a forged signature');
      const encodedPublic = encodePublicKey(publicKey).subarray(LATTICE_KEY_AT);
      const mu = shake256(shake256(encodedPublic), Uint8Array.of(0, 0), message);
      must(verify(null, message, publicKey, signMu(privateKey, mu)), 'signs a representative wrong');
      must(verifyMu(publicKey, mu, signature), 'refuses a right signature of a representative');
      must(!verifyMu(publicKey, mu, forged(signature)), 'takes a forged signature of a representative');
      return sha256(encodedPublic);
    },
    answer: '9f107644c1084526af3bc8098680b05499a2325a644e388fb4f970e058d19d46',
  },
  {
    name: 'ML-KEM',
    source: 'a ciphertext and its secret, computed by another implementation of FIPS 203 (@noble/post-quantum)',
    run: () => {
      const seed = Buffer.from(Array.from({ length: 64 }, (_, at) => at)).toString('hex');
      const encoded = unhex(`3054020100300b060960864801650304040104428040${seed}`);
      const { privateKey, publicKey } = pairOf({ type: 'ml-kem-512' }, encoded);
      const { sharedKey, ciphertext } = encapsulate(publicKey);
      must(equalBytes(decapsulate(privateKey, ciphertext), sharedKey), 'does not give back a secret');
      const rejected = decapsulate(privateKey, forged(ciphertext));
      must(rejected.length === sharedKey.length && !equalBytes(rejected, sharedKey), 'takes a forged ciphertext');
      return decapsulate(privateKey, ML_KEM_512_CIPHERTEXT);
    },
    answer: '54445ece362fcfa8dcd8a7c0b7f62f1cb0962fcfc68b1d85ae0e6331c1a23191',
  },
  {
    name: 'ECDH',
    source: 'Wycheproof, ecdh_secp256r1_test.json, test 1',
    run: () => {
      const secret = '0612465c89a023ab17855b0a6bcebfd3febb53aef84138647b5352e02c10c346';
      const peer =
        '3059301306072a8648ce3d020106082a8648ce3d0301070342000462d5bd3372af75fe85a040715d0f502428e07046868b0bfdfa61d731afe44f26' +
        'ac333a93a9e70a81cd5a95b5bf8d13990eb741c8c38872b4a07d275a014e30cf';
      const privateKey = createPrivateKey({ key: Buffer.from(p256Key(secret)), format: 'der', type: 'pkcs8' });
      const publicKey = createPublicKey({ key: Buffer.from(peer, 'hex'), format: 'der', type: 'spki' });
      return diffieHellman({ privateKey, publicKey });
    },
    answer: '53020d908b0219328b658b525f26780e3ae12bcd952bb25a93bc0895e1714285',
  },
];
