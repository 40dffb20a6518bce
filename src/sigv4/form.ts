/**
 * The signature of a form upload: over its policy, in the form's own fields. What the form may do is the policy's to say.
 * Source: AWS, "Authenticating Requests in Browser-Based Uploads Using POST (AWS Signature Version 4)".
 */
import {
  MAX_PRESIGNED_SECONDS,
  parseBasicTime,
  parseCredential,
  parseSignature,
  type SignatureClaim,
} from './claim.ts';
import { sameSignature } from './chunk-signature.ts';
import { SigV4Error } from './errors.ts';
import { ALGORITHM, signText } from './signing-key.ts';
import {
  checkScope,
  checkTime,
  checkToken,
  MAX_SKEW_MS,
  type AccessKey,
  type VerifiedSignature,
  type VerifyOptions,
} from './verify.ts';

/** Verifies a form's fields (names in small letters) or throws SigV4Error. */
export function verifyForm<Key extends AccessKey>(
  fields: ReadonlyMap<string, string>,
  options: VerifyOptions<Key>,
): Omit<VerifiedSignature<Key>, 'type'> {
  const claim = parseFormClaim(fields);
  checkScope(claim, options);
  const key = options.findKey(claim.accessKeyId);
  const { accessKeyId } = claim;
  if (key === undefined) throw new SigV4Error('ERR_SIGV4_UNKNOWN_KEY', undefined, true, { accessKeyId });
  // A day's signing key is good for seven days, whatever end the policy names.
  checkTime(claim, options.now, options.maxSkewMs ?? MAX_SKEW_MS);
  const signingKey = options.signingKeys.get(key, claim.scope);
  const stringToSign = fields.get('policy') ?? '';
  if (!sameSignature(signText(signingKey, stringToSign), claim.signature)) {
    const mismatch = { signature: claim.signature, stringToSign, canonicalRequest: undefined };
    throw new SigV4Error('ERR_SIGV4_MISMATCH', undefined, true, { accessKeyId, mismatch });
  }
  checkToken(claim, key);
  const { signature, scope, timestamp } = claim;
  return { key, payloadHash: 'UNSIGNED-PAYLOAD', signature, signingKey, scope, timestamp };
}

function parseFormClaim(fields: ReadonlyMap<string, string>): SignatureClaim {
  const isSigned = fields.has('x-amz-signature') || fields.has('x-amz-algorithm');
  if (!isSigned && (fields.has('awsaccesskeyid') || fields.has('signature')))
    throw new SigV4Error('ERR_SIGV4_UNSUPPORTED', undefined, true);
  if (!isSigned || !fields.has('policy')) throw new SigV4Error('ERR_SIGV4_ANONYMOUS', undefined, true);
  if (fields.get('x-amz-algorithm') !== ALGORITHM) throw new SigV4Error('ERR_SIGV4_UNSUPPORTED', undefined, true);
  return {
    type: 'presigned',
    ...parseCredential(fields.get('x-amz-credential'), true),
    signedHeaders: [],
    signature: parseSignature(fields.get('x-amz-signature'), true),
    ...parseBasicTime(fields.get('x-amz-date'), true),
    expiresSeconds: MAX_PRESIGNED_SECONDS,
    sessionToken: fields.get('x-amz-security-token'),
    contentSha256: undefined,
  };
}
