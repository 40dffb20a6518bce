/**
 * argon2id (RFC 9106) on node:crypto, for passphrase slots. Parameters are read from stored slot headers, so they are bounded
 * BEFORE they are run: a tampered header must neither exhaust memory nor weaken the passphrase.
 */
import { argon2 } from 'node:crypto';
import { CryptoError } from './errors.ts';

export type Argon2idParameters = {
  /** KiB. */
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
};

/** RFC 9106 section 4, second recommended option (64 MiB, three passes), with one lane so that it runs alike everywhere. */
export const ARGON2ID_DEFAULTS: Argon2idParameters = { memoryKiB: 64 * 1024, passes: 3, parallelism: 1 };

/** Least: OWASP's least for argon2id (19 MiB, 2 passes). Most: what a small container still bears, in seconds and not minutes. */
export const ARGON2ID_BOUNDS = {
  memoryKiB: [19 * 1024, 1024 * 1024],
  passes: [2, 16],
  parallelism: [1, 16],
} as const satisfies Record<keyof Argon2idParameters, readonly [number, number]>;

/** RFC 9106 section 3.1: 16 bytes recommended for passwords. */
export const ARGON2ID_SALT_BYTES = 16;

/** Throws ERR_CRYPTO_ARGON2_PARAMETERS where a parameter is not a whole number within its bounds. */
export function assertArgon2idParameters(parameters: Argon2idParameters): void {
  for (const name of ['memoryKiB', 'passes', 'parallelism'] as const) {
    const value = parameters[name];
    const [least, most] = ARGON2ID_BOUNDS[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new CryptoError('ERR_CRYPTO_ARGON2_PARAMETERS', `${name} must be ${least} to ${most}`);
    }
  }
}

/**
 * Derives `bytes` bytes (32 unless told) from a passphrase, off the main thread; the caller zeroes them and the passphrase.
 * Errors: ERR_CRYPTO_ARGON2_PARAMETERS, before anything is run.
 */
export async function argon2id(
  passphrase: Uint8Array,
  salt: Uint8Array,
  parameters: Argon2idParameters,
  bytes = 32,
): Promise<Uint8Array> {
  assertArgon2idParameters(parameters);
  if (salt.length !== ARGON2ID_SALT_BYTES) {
    throw new CryptoError('ERR_CRYPTO_ARGON2_PARAMETERS', `the salt must have ${ARGON2ID_SALT_BYTES} bytes`);
  }
  const { memoryKiB: memory, passes, parallelism } = parameters;
  const options = { message: passphrase, nonce: salt, memory, passes, parallelism, tagLength: bytes };
  return new Promise((resolve, reject) => {
    argon2('argon2id', options, (error, derived) => (error === null ? resolve(derived) : reject(error)));
  });
}
