/** Who asks: an access key that signed the request, or a client certificate; and sigv4's errors in the words of KMS. */
import { SigV4Error } from '../../sigv4/errors.ts';
import type { SigningKeyCache } from '../../sigv4/signing-key.ts';
import { screenRequest, verifyRequest, type AccessKey, type IncomingRequest } from '../../sigv4/verify.ts';
import { parseTimestamp } from '../../sigv4/timestamp.ts';
import { KmsError } from '../errors.ts';
import { MAX_SKEW_MS } from '../limits.ts';
import type { ReplayGuard } from './replay-guard.ts';

/** An access key that clients sign with, and whom it stands for. */
export type KmsAccessKey = AccessKey & { readonly principal: string };

export type AuthOptions = {
  readonly accessKeys: readonly KmsAccessKey[];
  /** Any of which a request may be signed for. */
  readonly regions: readonly string[];
  readonly now: () => number;
  readonly signingKeys: SigningKeyCache;
  readonly replays: ReplayGuard;
};

/** `region`: the one that is addressed. `signature`: in hex; undefined where a certificate says who asks. */
export type Caller = { readonly principal: string; readonly region: string; readonly signature?: string };

export type Authenticator = {
  /** What can be refused before the body is read; nothing is proven by it. */
  readonly screen: (request: IncomingRequest) => void;
  /** Who signed this request with this body (SHA-256 in hex). */
  readonly verify: (request: IncomingRequest, bodyHash: string) => Caller;
};

const MALFORMED = 'ERR_KMS_INCOMPLETE_SIGNATURE';

/** Both throw KmsError. */
export function createAuthenticator(options: AuthOptions): Authenticator {
  const keys = new Map(options.accessKeys.map((key) => [key.accessKeyId, key]));
  const rules = (now: number) => ({
    service: 'kms',
    region: options.regions,
    now,
    findKey: (id: string) => keys.get(id),
    signingKeys: options.signingKeys,
    maxSkewMs: MAX_SKEW_MS,
  });
  return {
    screen: (request) => {
      const now = options.now();
      inWordsOfKms(request, now, () => {
        if (screenRequest(request, rules(now)).claim.type === 'presigned')
          throw new SigV4Error('ERR_SIGV4_UNSUPPORTED');
      });
    },
    verify: (request, payloadHash) => {
      const now = options.now();
      const verified = inWordsOfKms(request, now, () => verifyRequest(request, { ...rules(now), payloadHash }));
      // It was parsed when it was verified.
      const signedMs = parseTimestamp(verified.timestamp) ?? now;
      if (options.replays.admit(verified.signature, signedMs, now)) {
        const { key, scope, signature } = verified;
        return { principal: key.principal, region: scope.region, signature };
      }
      throw new KmsError(
        'ERR_KMS_INVALID_SIGNATURE',
        `The request signed at ${verified.timestamp} has been received before. Sign each request anew.`,
      );
    },
  };
}

function inWordsOfKms<Result>(request: IncomingRequest, now: number, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    throw error instanceof SigV4Error ? translate(error, request, now) : error;
  }
}

function translate(error: SigV4Error, request: IncomingRequest, now: number): KmsError {
  const cause = { cause: error };
  switch (error.code) {
    case 'ERR_SIGV4_ANONYMOUS':
      return new KmsError('ERR_KMS_MISSING_AUTHENTICATION', undefined, cause);
    case 'ERR_SIGV4_UNSUPPORTED':
      return new KmsError(MALFORMED, 'Requests are signed in the Authorization header with AWS4-HMAC-SHA256.', cause);
    case 'ERR_SIGV4_MALFORMED':
    case 'ERR_SIGV4_NO_PAYLOAD_HASH':
    case 'ERR_SIGV4_TWO_MECHANISMS':
      return new KmsError(MALFORMED, error.message, cause);
    case 'ERR_SIGV4_UNKNOWN_KEY':
    case 'ERR_SIGV4_TOKEN':
      return new KmsError('ERR_KMS_UNRECOGNIZED_CLIENT', undefined, cause);
    case 'ERR_SIGV4_SCOPE':
      return new KmsError('ERR_KMS_INVALID_SIGNATURE', `The credential scope is wrong: ${error.message}`, cause);
    case 'ERR_SIGV4_SKEWED':
      return new KmsError('ERR_KMS_INVALID_SIGNATURE', skewed(request, now), cause);
    case 'ERR_SIGV4_MISMATCH':
      return new KmsError('ERR_KMS_INVALID_SIGNATURE', undefined, cause);
    case 'ERR_SIGV4_HEADERS_NOT_SIGNED':
      return new KmsError('ERR_KMS_INVALID_SIGNATURE', 'Host and every x-amz- header have to be signed.', cause);
    // Of presigned URLs alone, which are refused as such.
    case 'ERR_SIGV4_EXPIRED':
    case 'ERR_SIGV4_NOT_YET_VALID':
      return new KmsError(MALFORMED, error.message, cause);
  }
}

/** AWS's words: SDKs read from them, and from the Date header, how far their clock is off. */
function skewed(request: IncomingRequest, now: number): string {
  const signed = request.headers['x-amz-date'] ?? request.headers['date'] ?? '';
  const time = parseTimestamp(signed) ?? Date.parse(signed);
  const basic = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/gu, '')}Z`;
  return time < now
    ? `Signature expired: ${basic(time)} is now earlier than ${basic(now - MAX_SKEW_MS)} (${basic(now)} - 5 min.)`
    : `Signature not yet current: ${basic(time)} is still later than ${basic(now + MAX_SKEW_MS)} (${basic(now)} + 5 min.)`;
}
