/** Passphrases for unseal slots: read, and stretched with argon2id (RFC 9106) under parameters that are bounded before they run. */
import { z } from 'zod';
import { ARGON2ID_DEFAULTS, ARGON2ID_SALT_BYTES, argon2id, assertArgon2idParameters } from '../../crypto/argon2id.ts';
import type { RandomSource } from '../../crypto/random.ts';
import { KeysError } from '../errors.ts';
import { MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_BYTES } from '../limits.ts';
import type { UnsealSecret } from '../options.ts';
import { readSecretFile } from './secret-file.ts';

const PARAMETERS = z.strictObject({
  kdf: z.literal('argon2id'),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  memoryKiB: z.number(),
  passes: z.number(),
  parallelism: z.number(),
});
export type PassphraseParameters = z.infer<typeof PARAMETERS>;

export function newPassphraseParameters(random: RandomSource): string {
  const salt = Buffer.from(random(ARGON2ID_SALT_BYTES)).toString('hex');
  return JSON.stringify({ kdf: 'argon2id', salt, ...ARGON2ID_DEFAULTS } satisfies PassphraseParameters);
}

/** Errors: ERR_KEYS_SLOT_PARAMETERS; nothing has run by then. */
export function parsePassphraseParameters(text: string): PassphraseParameters {
  try {
    const parameters = PARAMETERS.parse(JSON.parse(text));
    assertArgon2idParameters(parameters);
    return parameters;
  } catch (cause) {
    throw new KeysError(
      'ERR_KEYS_SLOT_PARAMETERS',
      'the argon2id parameters of a passphrase slot are malformed or out of bounds',
      { cause },
    );
  }
}

/** 32 bytes, which the caller zeroes. */
export async function stretchPassphrase(passphrase: Uint8Array, parameters: PassphraseParameters): Promise<Uint8Array> {
  return argon2id(passphrase, Buffer.from(parameters.salt, 'hex'), parameters);
}

/** A passphrase's bytes without the line end an editor leaves; the caller zeroes them. */
export function readPassphrase(secret: Exclude<UnsealSecret, { type: 'key-file' }>): Uint8Array {
  const bytes = secret.type === 'passphrase' ? secret.read() : readSecretFile(secret.path, MAX_PASSPHRASE_BYTES + 2);
  const passphrase = withoutLineEnd(bytes);
  if (passphrase.length < MIN_PASSPHRASE_BYTES || passphrase.length > MAX_PASSPHRASE_BYTES) {
    bytes.fill(0);
    const where = secret.type === 'passphrase' ? 'the passphrase' : secret.path;
    throw new KeysError(
      'ERR_KEYS_SECRET_UNREADABLE',
      `${where} must have ${MIN_PASSPHRASE_BYTES} to ${MAX_PASSPHRASE_BYTES} bytes`,
    );
  }
  return passphrase;
}

function withoutLineEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  if (bytes[end - 1] === 0x0a) end -= 1;
  if (bytes[end - 1] === 0x0d) end -= 1;
  return bytes.subarray(0, end);
}
