/** Who asks: verifies the request's signature and says sigv4's errors in S3's words. */
import { ExpiredSignatureError, SigV4Error } from '../../sigv4/errors.ts';
import { evidenceDetails } from './evidence-details.ts';
import type { SigningKeyCache } from '../../sigv4/signing-key.ts';
import { verifyForm } from '../../sigv4/form.ts';
import {
  MAX_SKEW_MS,
  verifyRequest,
  type AccessKey,
  type IncomingRequest,
  type VerifiedSignature,
  type VerifyOptions,
} from '../../sigv4/verify.ts';
import { S3Error, type S3ErrorCode } from '../errors.ts';

/** An access key that clients sign with, and whom it stands for. */
export type S3AccessKey = AccessKey & {
  readonly principal: string;
  /** Temporary credentials: when they end, in milliseconds since 1970. */
  readonly expiresAt?: number;
};

export type Authenticator = {
  /** Undefined: nobody signed the request. */
  readonly request: (request: IncomingRequest) => VerifiedSignature<S3AccessKey> | undefined;
  /** Of a form upload, by its fields. Undefined: nobody signed it. */
  readonly form: (fields: ReadonlyMap<string, string>) => Omit<VerifiedSignature<S3AccessKey>, 'type'> | undefined;
};

export type AuthOptions = {
  readonly accessKeys: readonly S3AccessKey[];
  /** Undefined: any region a client signs for is accepted. */
  readonly region: string | undefined;
  readonly now: () => number;
  readonly signingKeys: SigningKeyCache;
};

export function createAuthenticator(options: AuthOptions): Authenticator {
  const keys = new Map(options.accessKeys.map((key) => [key.accessKeyId, key]));
  const verified = <Signature extends { readonly key: S3AccessKey }>(
    verify: (options: VerifyOptions<S3AccessKey>) => Signature,
  ): Signature | undefined => {
    const { region, signingKeys } = options;
    const now = options.now();
    try {
      const signature = verify({ service: 's3', region, now, findKey: (id) => keys.get(id), signingKeys });
      refuseExpired(signature.key, now);
      return signature;
    } catch (error) {
      if (error instanceof SigV4Error && error.code === 'ERR_SIGV4_ANONYMOUS') return undefined;
      throw error instanceof SigV4Error ? inWordsOfS3(error, options) : error;
    }
  };
  return {
    request: (request) => verified((how) => verifyRequest(request, how)),
    form: (fields) => verified((how) => verifyForm(fields, how)),
  };
}

/** Only to who holds the secret: nobody else learns that the key once existed. */
function refuseExpired({ expiresAt }: S3AccessKey, now: number): void {
  if (expiresAt !== undefined && now >= expiresAt) throw new S3Error('ERR_S3_EXPIRED_TOKEN');
}

function inWordsOfS3(error: SigV4Error, options: AuthOptions): S3Error {
  const details = detailsOf(error, options);
  const own = OWN_WORDS.has(error.code) ? undefined : error.message;
  return new S3Error(s3Code(error), own, { details, cause: error });
}

function detailsOf(error: SigV4Error, { region, now }: AuthOptions): Readonly<Record<string, string>> {
  const { code } = error;
  if (error.evidence !== undefined) return evidenceDetails(error.evidence);
  if (error instanceof ExpiredSignatureError)
    return {
      'X-Amz-Expires': String(error.seconds),
      Expires: inSeconds(error.endedAt),
      ServerTime: inSeconds(now()),
    };
  // Some clients set their clock by it.
  if (code === 'ERR_SIGV4_SKEWED')
    return { ServerTime: new Date(now()).toISOString(), MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS) };
  if (code === 'ERR_SIGV4_SCOPE' && region !== undefined) return { Region: region };
  // S3 repeats its value as well; a signature is nothing for a document that may be logged.
  if (code === 'ERR_SIGV4_TWO_MECHANISMS') return { ArgumentName: 'Authorization' };
  return {};
}

/** `2026-11-27T15:38:37Z` */
const inSeconds = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/u, 'Z');

/** Here S3's text of the catalogue is better known than ours. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'ERR_SIGV4_ANONYMOUS',
  'ERR_SIGV4_UNSUPPORTED',
  'ERR_SIGV4_UNKNOWN_KEY',
  'ERR_SIGV4_MISMATCH',
  'ERR_SIGV4_SKEWED',
  'ERR_SIGV4_TOKEN',
]);

function s3Code(error: SigV4Error): S3ErrorCode {
  switch (error.code) {
    case 'ERR_SIGV4_ANONYMOUS':
    case 'ERR_SIGV4_EXPIRED':
    case 'ERR_SIGV4_NOT_YET_VALID':
    case 'ERR_SIGV4_HEADERS_NOT_SIGNED':
      return 'ERR_S3_ACCESS_DENIED';
    case 'ERR_SIGV4_UNSUPPORTED':
      return 'ERR_S3_SIGNATURE_VERSION';
    case 'ERR_SIGV4_NO_PAYLOAD_HASH':
      return 'ERR_S3_INVALID_REQUEST';
    case 'ERR_SIGV4_TWO_MECHANISMS':
      return 'ERR_S3_INVALID_ARGUMENT';
    case 'ERR_SIGV4_MALFORMED':
    case 'ERR_SIGV4_SCOPE':
      return error.presigned ? 'ERR_S3_AUTHORIZATION_QUERY_PARAMETERS' : 'ERR_S3_AUTHORIZATION_HEADER_MALFORMED';
    case 'ERR_SIGV4_UNKNOWN_KEY':
      return 'ERR_S3_INVALID_ACCESS_KEY_ID';
    case 'ERR_SIGV4_MISMATCH':
      return 'ERR_S3_SIGNATURE_DOES_NOT_MATCH';
    case 'ERR_SIGV4_SKEWED':
      return 'ERR_S3_REQUEST_TIME_TOO_SKEWED';
    case 'ERR_SIGV4_TOKEN':
      return 'ERR_S3_INVALID_TOKEN';
  }
}
