/** What a key manager elsewhere refuses, under the code that the same refusal has here. */
import { KeysError, type KeysErrorCode } from '../../keys/errors.ts';

const MAX_MESSAGE_CHARS = 500;

const CODES: Readonly<Record<string, KeysErrorCode>> = {
  NotFoundException: 'ERR_KEYS_NOT_FOUND',
  InvalidArnException: 'ERR_KEYS_INVALID_ARN',
  DisabledException: 'ERR_KEYS_DISABLED',
  KMSInvalidStateException: 'ERR_KEYS_INVALID_STATE',
  AccessDeniedException: 'ERR_KEYS_ACCESS_DENIED',
  InvalidCiphertextException: 'ERR_KEYS_CIPHERTEXT_INVALID',
  IncorrectKeyException: 'ERR_KEYS_INCORRECT_KEY',
  InvalidKeyUsageException: 'ERR_KEYS_KEY_USAGE',
  UnsupportedOperationException: 'ERR_KEYS_UNSUPPORTED',
  UnrecognizedClientException: 'ERR_KEYS_REMOTE_REFUSED',
  InvalidClientTokenId: 'ERR_KEYS_REMOTE_REFUSED',
  InvalidSignatureException: 'ERR_KEYS_REMOTE_REFUSED',
  IncompleteSignatureException: 'ERR_KEYS_REMOTE_REFUSED',
  MissingAuthenticationTokenException: 'ERR_KEYS_REMOTE_REFUSED',
  ExpiredTokenException: 'ERR_KEYS_REMOTE_REFUSED',
  OptInRequired: 'ERR_KEYS_REMOTE_REFUSED',
  KMSInternalException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  InternalFailure: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  ServiceUnavailableException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  KeyUnavailableException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  DependencyTimeoutException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  ThrottlingException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  RequestTimeoutException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
  LimitExceededException: 'ERR_KEYS_REMOTE_UNAVAILABLE',
};

/** An answer of another status than 200. */
export function refusal(status: number, body: Uint8Array): KeysError {
  const { type, message } = readError(body);
  const code = CODES[type] ?? (status >= 500 ? 'ERR_KEYS_REMOTE_UNAVAILABLE' : 'ERR_KEYS_REMOTE_PROTOCOL');
  return new KeysError(code, `the remote key manager says ${type || `status ${status}`}${message && `: ${message}`}`);
}

/** `{"__type": "com.amazonaws.kms#NotFoundException", "message": …}`, as services write it and as they vary it. */
function readError(body: Uint8Array): { type: string; message: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    const value = (name: string): string => {
      const found: unknown =
        typeof parsed === 'object' && parsed !== null && name in parsed && Reflect.get(parsed, name);
      return typeof found === 'string' ? found : '';
    };
    const type = /(?:^|#)(\w{1,100})$/u.exec(value('__type'))?.[1] ?? '';
    return { type, message: onOneLine(value('message') || value('Message')) };
  } catch {
    return { type: '', message: '' };
  }
}

const onOneLine = (text: string): string => text.slice(0, MAX_MESSAGE_CHARS).replaceAll(/[\p{Cc}\p{Cs}]/gu, '?');
