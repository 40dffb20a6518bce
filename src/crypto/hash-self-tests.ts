/** Known answers of hashes and of what is made of them, for `self-test.ts`: each hash that a key, a signature or a password goes by. */
import { createHash, createHmac, createSecretKey, pbkdf2Sync } from 'node:crypto';
import { hmacSha256 } from './hmac.ts';
import { openKeptHmac } from './kept-hmac.ts';
import type { SelfTest } from './self-test-case.ts';

const ascii = (text: string): Uint8Array => Buffer.from(text, 'ascii');

const hashing = (name: string, hash: string, source: string, answer: string): SelfTest => ({
  name,
  source,
  run: () => createHash(hash).update('abc').digest(),
  answer,
});
const MAC_KEY = ascii('Jefe');
const MAC_MESSAGE = 'what do ya want for nothing?';
const mac = (name: string, hash: string, answer: string): SelfTest => ({
  name,
  source: 'RFC 4231, 4.3',
  run: () => createHmac(hash, MAC_KEY).update(MAC_MESSAGE).digest(),
  answer,
});

export const HASH_SELF_TESTS: readonly SelfTest[] = [
  hashing('SHA-1', 'sha1', 'FIPS 180-2, A.1', 'a9993e364706816aba3e25717850c26c9cd0d89d'),
  hashing(
    'SHA-224',
    'sha224',
    'FIPS 180-2 with change notice 1, C.1',
    '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  ),
  hashing('SHA-256', 'sha256', 'FIPS 180-2, B.1', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  hashing(
    'SHA-384',
    'sha384',
    'FIPS 180-2, D.1',
    'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  ),
  hashing(
    'SHA-512',
    'sha512',
    'FIPS 180-2, C.1',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ),
  {
    name: 'HMAC-SHA-256',
    source: 'RFC 4231, 4.3',
    run: () => hmacSha256(MAC_KEY, ascii(MAC_MESSAGE.slice(0, 16)), ascii(MAC_MESSAGE.slice(16))),
    answer: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    name: 'HMAC-SHA-256 under a kept key',
    source: 'RFC 4231, 4.3',
    run: () => openKeptHmac(createSecretKey(MAC_KEY), ascii(MAC_MESSAGE)),
    answer: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  mac('HMAC-SHA-224', 'sha224', 'a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44'),
  mac(
    'HMAC-SHA-384',
    'sha384',
    'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  ),
  mac(
    'HMAC-SHA-512',
    'sha512',
    '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
  ),
  {
    name: 'PBKDF2-HMAC-SHA-256',
    source: 'RFC 7914, 11',
    run: () => pbkdf2Sync('passwd', 'salt', 1, 64, 'sha256'),
    answer:
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783',
  },
];
