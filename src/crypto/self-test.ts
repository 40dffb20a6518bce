/**
 * Known-answer tests of every primitive, run before a process uses its first key: a library that was built wrong, a processor that
 * computes wrong or a file that was damaged is found before it seals anything that nobody can open again.
 */
import { argon2Sync, createSecretKey } from 'node:crypto';
import { openAesGcm, sealAesGcm } from './aes-gcm.ts';
import { concatBytes, equalBytes } from './bytes.ts';
import { counterKdfPair } from './counter-kdf.ts';
import { ed25519PublicBytes, ed25519PublicKey, signEd25519, takeEd25519Seed, verifyEd25519 } from './ed25519.ts';
import { CryptoError } from './errors.ts';
import { decryptFf1, encryptFf1 } from './ff1.ts';
import { HASH_SELF_TESTS } from './hash-self-tests.ts';
import { hkdfSha256 } from './hkdf.ts';
import { takeKey } from './key-types.ts';
import { unwrapPadded, wrapPadded } from './key-wrap.ts';
import { PARAMETER_SELF_TESTS } from './pairs/parameter-self-tests.ts';
import { PAIR_SELF_TESTS } from './pairs/self-tests.ts';
import type { SelfTest } from './self-test-case.ts';
import { openXaesGcm, sealXaesGcm } from './xaes-gcm.ts';

const unhex = (text: string): Uint8Array => Buffer.from(text, 'hex');
const ascii = (text: string): Uint8Array => Buffer.from(text, 'ascii');

/** Seals, opens again, and refuses to open with any one bit of the tag changed; gives what was sealed. */
function aeadAnswer(
  seal: (plaintext: Uint8Array) => Uint8Array,
  open: (sealed: Uint8Array) => Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const sealed = seal(plaintext);
  if (!equalBytes(open(sealed), plaintext)) throw new Error('does not open what it sealed');
  const forged = Uint8Array.from(sealed);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  if (opens(() => open(forged))) throw new Error('opens what was forged');
  return sealed;
}

function opens(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}

const GCM_KEY = 'feffe9928665731c6d6a8f9467308308'.repeat(2);
const GCM_PLAINTEXT =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39';

export const SELF_TESTS: readonly SelfTest[] = [
  {
    name: 'FF1',
    source: 'NIST, FF1samples.pdf, sample 8',
    run: () => {
      const key = takeKey('Dek', unhex(`2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94`));
      const tweak = unhex('39383736353433323130');
      const numerals = encryptFf1(key, 10, tweak, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      if (decryptFf1(key, 10, tweak, numerals).join('') !== '0123456789')
        throw new Error('does not open what it sealed');
      return Uint8Array.from(numerals);
    },
    answer: '01000001060203040603',
  },
  ...HASH_SELF_TESTS,
  {
    name: 'HKDF-SHA-256',
    source: 'RFC 5869, A.1',
    run: () =>
      hkdfSha256(unhex('0b'.repeat(22)), unhex('000102030405060708090a0b0c'), unhex('f0f1f2f3f4f5f6f7f8f9'), 42),
    answer: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    name: 'SP 800-108 counter KDF',
    source: 'computed from SP 800-108r1, 4.1 with the HMAC of another implementation',
    run: () =>
      concatBytes(...counterKdfPair(createSecretKey(unhex('0b'.repeat(32))), 'sealgate self-test', [ascii('context')])),
    answer:
      '5dfbf7112bd2519e46a5fbece718bf6ae599fcd8418be3b3acbccecd65bab38c01f6280a16d2b53a200d8ae61f7d573e66b7f2b7d48da6e64079f8dffd5f9f21',
  },
  {
    name: 'AES-256-GCM',
    source: 'McGrew and Viega, The Galois/Counter Mode of Operation, test case 16',
    run: () => {
      const key = createSecretKey(unhex(GCM_KEY));
      const nonce = unhex('cafebabefacedbaddecaf888');
      const aad = unhex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
      return aeadAnswer(
        (plaintext) => sealAesGcm(key, nonce, plaintext, aad),
        (sealed) => openAesGcm(key, nonce, sealed, aad),
        unhex(GCM_PLAINTEXT),
      );
    },
    answer:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    name: 'XAES-256-GCM',
    source: 'https://c2sp.org/XAES-256-GCM, test vectors',
    run: () => {
      const key = createSecretKey(unhex('03'.repeat(32)));
      const nonce = ascii('ABCDEFGHIJKLMNOPQRSTUVWX');
      const aad = ascii('c2sp.org/XAES-256-GCM');
      return aeadAnswer(
        (plaintext) => sealXaesGcm(key, nonce, plaintext, aad),
        (sealed) => openXaesGcm(key, nonce, sealed, aad),
        ascii('XAES-256-GCM'),
      );
    },
    answer: '986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d',
  },
  {
    name: 'Ed25519',
    source: 'RFC 8032, 7.1, test 1',
    run: () => {
      const key = takeEd25519Seed(unhex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
      const publicBytes = ed25519PublicBytes(key);
      const signature = signEd25519(key, new Uint8Array(0));
      const publicKey = ed25519PublicKey(publicBytes);
      if (!verifyEd25519(publicKey, new Uint8Array(0), signature)) throw new Error('does not verify what it signed');
      if (verifyEd25519(publicKey, Uint8Array.of(0), signature)) throw new Error('verifies what was forged');
      return concatBytes(publicBytes, signature);
    },
    answer:
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a' +
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'argon2id',
    source: 'RFC 9106, 5.3',
    run: () =>
      argon2Sync('argon2id', {
        message: unhex('01'.repeat(32)),
        nonce: unhex('02'.repeat(16)),
        secret: unhex('03'.repeat(8)),
        associatedData: unhex('04'.repeat(12)),
        memory: 32,
        passes: 3,
        parallelism: 4,
        tagLength: 32,
      }),
    answer: '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659',
  },
  {
    name: 'AES-256 key wrap with padding',
    source: 'Wycheproof, aes_kwp_test.json, 161',
    run: () => {
      const key = createSecretKey(unhex('fce0429c610658ef8e7cfb0154c51de2239a8a317f5af5b6714f985fb5c4d75c'));
      const wrapped = wrapPadded(key, unhex('287326b5ed0078e7ca0164d748f667e7'));
      const opened = unwrapPadded(key, wrapped);
      if (opened === undefined || !equalBytes(opened, unhex('287326b5ed0078e7ca0164d748f667e7')))
        throw new Error('does not unwrap what it wrapped');
      wrapped[0] = (wrapped[0] ?? 0) ^ 1;
      if (unwrapPadded(key, wrapped) !== undefined) throw new Error('unwraps what was forged');
      wrapped[0] ^= 1;
      return wrapped;
    },
    answer: 'e3eab96d9a2fda12f9e252053aff15e753e5ea6f5172c92b',
  },
  ...PAIR_SELF_TESTS,
  ...PARAMETER_SELF_TESTS,
];

/** Throws ERR_CRYPTO_SELF_TEST, which names the first primitive whose answer is not the known one. */
export function runSelfTests(tests: readonly SelfTest[] = SELF_TESTS): void {
  for (const { name, run, answer } of tests) {
    let given: Uint8Array;
    try {
      given = run();
    } catch (cause) {
      throw new CryptoError('ERR_CRYPTO_SELF_TEST', name, { cause });
    }
    if (!equalBytes(given, unhex(answer))) throw new CryptoError('ERR_CRYPTO_SELF_TEST', name);
  }
}

let havePassed = false;

/** The same, once for each process; what failed is tried, and refused, every time. */
export function assertSelfTests(): void {
  if (havePassed) return;
  runSelfTests();
  havePassed = true;
}
