/** The catalogue of the crypto room; docs/ERRORS.md is written from it. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../errors.ts';

export const CRYPTO_ERRORS = {
  ERR_CRYPTO_OPEN_FAILED: {
    says: 'the sealed bytes do not open',
    why: 'The key, the nonce, the additional data or the bytes themselves are not the ones used when sealing. Which of them is never said.',
    fix: 'Check that the right key is used; if it is, the bytes are damaged or were tampered with: restore them from a backup.',
  },
  ERR_CRYPTO_ARGON2_PARAMETERS: {
    says: 'the argon2id parameters are outside the bounds',
    why: 'Parameters come from a stored slot header; running whatever it says would let a tampered file exhaust memory or weaken the passphrase.',
    fix: 'Use parameters within the bounds named in the message; a slot that names others is damaged or was tampered with.',
  },
  ERR_CRYPTO_SELF_TEST: {
    says: 'a primitive does not give the answer it is known to give, so no key is used',
    why: 'Node.js or its OpenSSL was built or patched wrong, a file of them is damaged, or the processor or memory computes wrong.',
    fix: 'Install Node.js anew; if it stays, use another machine. What was written before this error is not concerned: the test runs before the first use of a key.',
    // As every failure to use a key.
    exit: 5,
  },
} as const satisfies ErrorCatalogue;

type CryptoErrorCode = keyof typeof CRYPTO_ERRORS & ErrorCode;

export class CryptoError extends SealgateError<CryptoErrorCode> {
  constructor(code: CryptoErrorCode, detail?: string, options?: ErrorOptions) {
    super(code, detail === undefined ? CRYPTO_ERRORS[code].says : `${CRYPTO_ERRORS[code].says}: ${detail}`, options);
    this.name = 'CryptoError';
  }
}
