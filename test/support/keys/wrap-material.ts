/** Material wrapped for import, as its owner does it: by node:crypto, or by the command line of OpenSSL. */
import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const WRAPPING_ALGORITHMS = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const;
export type WrappingAlgorithm = (typeof WRAPPING_ALGORITHMS)[number];

/** `publicKey`: SubjectPublicKeyInfo in DER. */
export type Wrap = (algorithm: WrappingAlgorithm, publicKey: Uint8Array, material: Uint8Array) => Buffer;

const hashOf = (algorithm: WrappingAlgorithm): string => (algorithm.endsWith('_256') ? 'sha256' : 'sha1');
/** RFC 5649. */
const INITIAL_VALUE = 'A65959A6';

export const wrapByNode: Wrap = (algorithm, publicKey, material) => {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  const oaep = (bytes: Uint8Array): Buffer =>
    publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hashOf(algorithm) }, bytes);
  if (algorithm.startsWith('RSAES')) return oaep(material);
  const aesKey = randomBytes(32);
  const cipher = createCipheriv('id-aes256-wrap-pad', aesKey, Buffer.from(INITIAL_VALUE, 'hex'));
  return Buffer.concat([oaep(aesKey), cipher.update(material), cipher.final()]);
};

/** As AWS's manual says to. */
export const wrapByOpenssl: Wrap = (algorithm, publicKey, material) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-wrap-'));
  const path = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes, { mode: 0o600 });
    return join(folder, name);
  };
  try {
    const wrappingKey = path('public.der', publicKey);
    const hash = hashOf(algorithm);
    const oaep = (bytes: Uint8Array): Buffer => {
      const options = ['rsa_padding_mode:oaep', `rsa_oaep_md:${hash}`, `rsa_mgf1_md:${hash}`];
      const words = [
        'pkeyutl',
        '-encrypt',
        '-pubin',
        '-keyform',
        'DER',
        '-inkey',
        wrappingKey,
        '-in',
        path('in', bytes),
      ];
      const out = join(folder, 'out');
      execFileSync('openssl', [...words, '-out', out, ...options.flatMap((option) => ['-pkeyopt', option])]);
      return readFileSync(out);
    };
    if (algorithm.startsWith('RSAES')) return oaep(material);
    const aesKey = randomBytes(32);
    const words = ['enc', '-id-aes256-wrap-pad', '-K', aesKey.toString('hex'), '-iv', INITIAL_VALUE];
    const wrapped = execFileSync('openssl', [...words, '-in', path('material', material)]);
    return Buffer.concat([oaep(aesKey), wrapped]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
