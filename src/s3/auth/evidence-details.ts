/**
 * What S3 tells the caller whose signature it does not accept: what it took for signed, to be held against what the client signed. All of it is
 * the caller's own request; nothing that was computed with the secret is in it.
 * Source: answers of Amazon S3 as SDKs' own tests have recorded them; "Troubleshoot signed requests for AWS APIs".
 */
import type { SignatureEvidence } from '../../sigv4/errors.ts';

/** Elements of the error document, in S3's order. */
export function evidenceDetails({ accessKeyId, mismatch }: SignatureEvidence): Readonly<Record<string, string>> {
  if (mismatch === undefined) return { AWSAccessKeyId: asText(accessKeyId) };
  const { stringToSign, signature, canonicalRequest } = mismatch;
  return {
    AWSAccessKeyId: asText(accessKeyId),
    StringToSign: asText(stringToSign),
    SignatureProvided: signature,
    StringToSignBytes: asBytes(stringToSign),
    ...(canonicalRequest === undefined
      ? {}
      : { CanonicalRequest: asText(canonicalRequest), CanonicalRequestBytes: asBytes(canonicalRequest) }),
  };
}

const asText = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');

/** `50 55 54 0a` */
const asBytes = (latin1: string): string =>
  Buffer.from(latin1, 'latin1')
    .toString('hex')
    .replace(/..(?=.)/gu, '$& ');
