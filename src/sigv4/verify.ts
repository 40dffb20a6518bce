/**
 * Verifies the signature of a request, in header or presigned URL. For the S3 and KMS edges.
 *
 * Threats: forged or replayed requests, headers added to a signed request on its way, timing of the comparison. A proxy in front may
 * re-encode the path or change the port in Host; both are tried again in normal form, since they mean the same request.
 * Source: AWS, "Authenticating Requests (AWS Signature Version 4)".
 */
import { timingSafeEqual, type KeyObject } from 'node:crypto';
import { canonicalRequest, hashText } from './canonical-request.ts';
import { parseClaim, type SignatureClaim } from './claim.ts';
import { ExpiredSignatureError, SigV4Error, type SignatureEvidence } from './errors.ts';
import { decodeUri, encodePath } from './percent-encoding.ts';
import { requestStringToSign, signText, type CredentialScope, type SigningKeyCache } from './signing-key.ts';

/** An access key that clients may sign with. */
export type AccessKey = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials: the token that must come with each request. */
  readonly sessionToken?: string;
};

export type IncomingRequest = {
  readonly method: string;
  /** As sent, percent-encoded. */
  readonly path: string;
  /** As sent, without the `?`. */
  readonly query: string;
  /** Lower-case names; values are bytes as latin1; repeated headers joined by `,`. */
  readonly headers: Readonly<Record<string, string>>;
};

export type VerifyOptions<Key extends AccessKey> = {
  readonly service: string;
  /** Only this region, or one of these, is accepted; undefined accepts what the client signed for. */
  readonly region: string | readonly string[] | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly findKey: (accessKeyId: string) => Key | undefined;
  readonly signingKeys: SigningKeyCache;
  /** KMS: the hash of the body as it came. The signature must be over it, whatever `x-amz-content-sha256` claims. */
  readonly payloadHash?: string;
  /** How far the request's time may be from ours; MAX_SKEW_MS unless told. */
  readonly maxSkewMs?: number;
};

/** A signature found good, and what chunk signatures continue from. */
export type VerifiedSignature<Key extends AccessKey> = {
  readonly type: SignatureClaim['type'];
  readonly key: Key;
  /** What the signature says of the body: a hex SHA-256, `UNSIGNED-PAYLOAD` or `STREAMING-...`. */
  readonly payloadHash: string;
  readonly signature: string;
  readonly signingKey: KeyObject;
  readonly scope: CredentialScope;
  readonly timestamp: string;
};

/** 15 minutes, as S3 allows. */
export const MAX_SKEW_MS = 15 * 60 * 1000;

const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** Verifies one request or throws SigV4Error. */
export function verifyRequest<Key extends AccessKey>(
  request: IncomingRequest,
  options: VerifyOptions<Key>,
): VerifiedSignature<Key> {
  const { claim, key } = screenRequest(request, options);
  const payloadHash = claimedPayloadHash(claim, request, options);
  const signingKey = options.signingKeys.get(key, claim.scope);
  if (!matches(claim, request, payloadHash, signingKey)) {
    throw new SigV4Error(
      'ERR_SIGV4_MISMATCH',
      undefined,
      claim.type === 'presigned',
      evidenceOf(claim, request, payloadHash),
    );
  }
  checkToken(claim, key);
  const { type, signature, scope, timestamp } = claim;
  return { type, key, payloadHash, signature, signingKey, scope, timestamp };
}

/**
 * All that can be refused before the body is read: who is unknown, late, or scoped to elsewhere. Nothing is proven by it: only
 * `verifyRequest` looks at the signature. Throws SigV4Error.
 */
export function screenRequest<Key extends AccessKey>(
  request: IncomingRequest,
  options: VerifyOptions<Key>,
): { readonly claim: SignatureClaim; readonly key: Key } {
  const claim = parseClaim(request);
  checkScope(claim, options);
  const key = options.findKey(claim.accessKeyId);
  if (key === undefined) {
    const { accessKeyId } = claim;
    throw new SigV4Error('ERR_SIGV4_UNKNOWN_KEY', undefined, claim.type === 'presigned', { accessKeyId });
  }
  checkTime(claim, options.now, options.maxSkewMs ?? MAX_SKEW_MS);
  checkSignedHeaders(claim, request.headers);
  return { claim, key };
}

export function checkScope(
  claim: SignatureClaim,
  { service, region }: Pick<VerifyOptions<AccessKey>, 'service' | 'region'>,
): void {
  const { scope } = claim;
  const fail = (text: string): never => {
    throw new SigV4Error('ERR_SIGV4_SCOPE', text, claim.type === 'presigned');
  };
  if (scope.service !== service)
    fail(`incorrect service "${printable(scope.service)}". This endpoint belongs to "${service}".`);
  const accepted = typeof region === 'string' ? [region] : region;
  if (accepted?.includes(scope.region) === false)
    fail(`the region '${printable(scope.region)}' is wrong; expecting '${accepted.join("' or '")}'`);
  if (scope.date !== claim.timestamp.slice(0, 8))
    fail('the date of the credential scope is not the date of the request');
}

/** Client text that goes back into an error: short, and only plain characters. */
const printable = (text: string): string => text.replace(/[^\w.-]/gu, '?').slice(0, 40);

export function checkTime(claim: SignatureClaim, now: number, maxSkewMs: number): void {
  if (claim.type === 'header') {
    if (Math.abs(now - claim.time) > maxSkewMs) throw new SigV4Error('ERR_SIGV4_SKEWED');
    return;
  }
  if (claim.time - now > maxSkewMs) throw new SigV4Error('ERR_SIGV4_NOT_YET_VALID', undefined, true);
  const endsAt = claim.time + claim.expiresSeconds * 1000;
  if (now > endsAt) throw new ExpiredSignatureError(claim.expiresSeconds, endsAt);
}

/** These are bound by the signature itself, or carry nothing an operation looks at. */
const NEED_NOT_BE_SIGNED = new Set(['x-amz-content-sha256', 'x-amz-date', 'x-amz-user-agent', 'x-amz-cf-id']);

/** An unsigned `x-amz-` header could be added by anyone on the way: metadata, ACL, copy source. */
function checkSignedHeaders(claim: SignatureClaim, headers: IncomingRequest['headers']): void {
  const signed = new Set(claim.signedHeaders);
  const missing = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') && !NEED_NOT_BE_SIGNED.has(name) && !signed.has(name),
  );
  if (!signed.has('host')) missing.push('host');
  if (missing.length > 0) throw new SigV4Error('ERR_SIGV4_HEADERS_NOT_SIGNED', undefined, claim.type === 'presigned');
}

function claimedPayloadHash(
  claim: SignatureClaim,
  request: IncomingRequest,
  options: { payloadHash?: string },
): string {
  const header = request.headers['x-amz-content-sha256'];
  if (claim.type === 'header') {
    const hash = options.payloadHash ?? header;
    if (hash === undefined) throw new SigV4Error('ERR_SIGV4_NO_PAYLOAD_HASH');
    return hash;
  }
  // A presigned URL binds the body only through a header it signs, or a parameter (which it signs always).
  if (header !== undefined && claim.signedHeaders.includes('x-amz-content-sha256')) return header;
  // A body in frames that nobody signed for would be kept with its frames.
  if (header?.startsWith('STREAMING-') === true && header !== claim.contentSha256)
    throw new SigV4Error('ERR_SIGV4_HEADERS_NOT_SIGNED', undefined, true);
  return claim.contentSha256 ?? UNSIGNED_PAYLOAD;
}

function matches(claim: SignatureClaim, request: IncomingRequest, payloadHash: string, signingKey: KeyObject): boolean {
  const claimed = Buffer.from(claim.signature, 'hex');
  for (const spelling of spellings(request)) {
    const canonical = canonicalRequest({ ...spelling, signedHeaders: claim.signedHeaders, payloadHash });
    const expected = signText(signingKey, requestStringToSign(claim.timestamp, claim.scope, hashText(canonical)));
    if (timingSafeEqual(Buffer.from(expected, 'hex'), claimed)) return true;
  }
  return false;
}

/** What no answer repeats, as a header or a parameter: keys of customers, of a copy's source too, and session tokens. */
const SECRET = /-customer-key$|^x-amz-security-token$/u;
const SECRET_PARAMETER = /customer-key|security-token/iu;

/** Of the request as it was sent. */
function evidenceOf(claim: SignatureClaim, request: IncomingRequest, payloadHash: string): SignatureEvidence {
  const { accessKeyId, signature, signedHeaders, timestamp, scope } = claim;
  const canonical = canonicalRequest({ ...request, signedHeaders, payloadHash });
  const stringToSign = requestStringToSign(timestamp, scope, hashText(canonical));
  const query = decodeUri(request.query);
  const isSecret =
    query === undefined || SECRET_PARAMETER.test(query) || signedHeaders.some((name) => SECRET.test(name));
  return { accessKeyId, mismatch: { signature, stringToSign, canonicalRequest: isSecret ? undefined : canonical } };
}

/** The request as sent, then the other ways a client may have signed the same thing: made only where the first did not match. */
function* spellings(request: IncomingRequest): Generator<IncomingRequest> {
  yield request;
  const decoded = decodeUri(request.path);
  const path = decoded === undefined ? request.path : encodePath(decoded);
  const { host } = request.headers;
  const bare = host?.replace(/:\d+$/u, '');
  const headers = bare === undefined || bare === host ? request.headers : { ...request.headers, host: bare };
  if (path !== request.path) yield { ...request, path };
  if (headers !== request.headers) yield { ...request, headers };
  if (path !== request.path && headers !== request.headers) yield { ...request, path, headers };
}

export function checkToken(claim: SignatureClaim, key: AccessKey): void {
  const given = claim.sessionToken;
  if (given === undefined && key.sessionToken === undefined) return;
  if (given === undefined || key.sessionToken === undefined || !equalHashes(given, key.sessionToken)) {
    throw new SigV4Error('ERR_SIGV4_TOKEN', undefined, claim.type === 'presigned');
  }
}

/** Constant time whatever the lengths: digests are compared. */
function equalHashes(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashText(a), 'hex'), Buffer.from(hashText(b), 'hex'));
}
