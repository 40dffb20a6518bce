/** Why a signature is not accepted: codes of the sigv4 room. Each edge (S3, KMS) says them in its own words. */
import { SealgateError, type ErrorCatalogue, type ErrorCode } from '../errors.ts';

export const SIGV4_ERRORS = {
  ERR_SIGV4_ANONYMOUS: {
    says: 'The request is not signed.',
    why: 'It has neither an Authorization header nor presigned query parameters; anonymous requests are refused.',
    fix: 'Configure access key and secret in the client.',
  },
  ERR_SIGV4_UNSUPPORTED: {
    says: 'The authorization mechanism is not supported.',
    why: 'Signature Version 2, 4A and other schemes are not accepted.',
    fix: 'Configure the client for Signature Version 4 (AWS4-HMAC-SHA256).',
  },
  ERR_SIGV4_MALFORMED: {
    says: "The signature's parameters are malformed.",
    why: 'A parameter of the Authorization header or presigned URL is missing, repeated or cannot be read.',
    fix: 'Sign with a current SDK.',
  },
  ERR_SIGV4_NO_PAYLOAD_HASH: {
    says: 'Missing required header for this request: x-amz-content-sha256',
    why: 'Nothing says what the signature takes for the hash of the body.',
    fix: "Send `x-amz-content-sha256`, as SDKs do; for curl before 8.0, `-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'`.",
  },
  ERR_SIGV4_TWO_MECHANISMS: {
    says: 'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    why: 'The request has an Authorization header and the parameters of a presigned URL: each may say another caller.',
    fix: 'Send one of them. Clients that follow a redirect to a presigned URL must leave their own header behind.',
  },
  ERR_SIGV4_SCOPE: {
    says: 'The credential scope is wrong.',
    why: 'It names another date, region or service.',
    fix: "Configure the client for the gateway's region.",
  },
  ERR_SIGV4_UNKNOWN_KEY: {
    says: 'The access key is not known.',
    why: 'The configuration names no such access key.',
    fix: 'Add the access key, or correct the client.',
  },
  ERR_SIGV4_MISMATCH: {
    says: 'The signature does not match.',
    why: 'The secret differs, or the request was changed after it was signed.',
    fix: 'Compare the secret; let proxies in front keep Host and path.',
  },
  ERR_SIGV4_SKEWED: {
    says: 'The request time is too far from the current time.',
    why: 'The clocks differ by more than 15 minutes.',
    fix: 'Set both clocks by NTP.',
  },
  ERR_SIGV4_EXPIRED: {
    says: 'Request has expired',
    why: "The presigned URL's time is over.",
    fix: 'Make a new URL.',
  },
  ERR_SIGV4_NOT_YET_VALID: {
    says: 'Request is not valid yet',
    why: 'The presigned URL begins in the future.',
    fix: 'Set both clocks by NTP.',
  },
  ERR_SIGV4_TOKEN: {
    says: 'The session token is not valid.',
    why: 'It is missing, or not the one that belongs to the access key.',
    fix: "Renew the client's temporary credentials.",
  },
  ERR_SIGV4_HEADERS_NOT_SIGNED: {
    says: 'There were headers present in the request which were not signed',
    why: 'Host and every x-amz- header must be signed.',
    fix: 'Sign them.',
  },
} as const satisfies ErrorCatalogue;

/** What was looked at and found wanting: of the request alone, nothing that a secret was used for. Texts are bytes as latin1. */
export type SignatureEvidence = {
  readonly accessKeyId: string;
  readonly mismatch?: {
    readonly signature: string;
    readonly stringToSign: string;
    /** Undefined for forms, which have none; and where it would hold a key or a session token. */
    readonly canonicalRequest: string | undefined;
  };
};

export class SigV4Error extends SealgateError<keyof typeof SIGV4_ERRORS & ErrorCode> {
  /** How the signature came, where that matters to the edge's wording. */
  readonly presigned: boolean;
  /** Private, so that nothing that writes errors to logs comes upon it. */
  readonly #evidence: SignatureEvidence | undefined;

  constructor(
    code: keyof typeof SIGV4_ERRORS & ErrorCode,
    message?: string,
    presigned = false,
    evidence?: SignatureEvidence,
  ) {
    super(code, message ?? SIGV4_ERRORS[code].says);
    this.name = 'SigV4Error';
    this.presigned = presigned;
    this.#evidence = evidence;
  }

  /** For the caller's own eyes. */
  get evidence(): SignatureEvidence | undefined {
    return this.#evidence;
  }
}

/** A presigned URL whose time is over: how long it was good for, and until when (milliseconds since 1970). */
export class ExpiredSignatureError extends SigV4Error {
  readonly seconds: number;
  readonly endedAt: number;

  constructor(seconds: number, endedAt: number) {
    super('ERR_SIGV4_EXPIRED', undefined, true);
    this.seconds = seconds;
    this.endedAt = endedAt;
  }
}
