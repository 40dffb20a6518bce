/** The catalogue's rows about who asks, and about request bodies. */
import { row, type S3Catalogue } from './error-row.ts';

/** Who asks, and whether the signature holds. */
export const S3_AUTH_ERRORS = {
  ERR_S3_ACCESS_DENIED: row(
    'AccessDenied',
    403,
    'Access Denied',
    'A rule refuses the bucket or key, the request is anonymous, or a presigned URL has expired.',
    'Sign the request with a known access key; see the bucket rules.',
  ),
  ERR_S3_INVALID_ACCESS_KEY_ID: row(
    'InvalidAccessKeyId',
    403,
    'The AWS Access Key Id you provided does not exist in our records.',
    'The request is signed with an access key the configuration does not name.',
    'Add the access key to `s3.clients`, or correct the client.',
  ),
  ERR_S3_SIGNATURE_DOES_NOT_MATCH: row(
    'SignatureDoesNotMatch',
    403,
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    'The secret differs, or something between client and gateway changed path, query, host or a signed header.',
    'Compare the secret; let proxies in front keep the Host header and the path as sent.',
  ),
  ERR_S3_REQUEST_TIME_TOO_SKEWED: row(
    'RequestTimeTooSkewed',
    403,
    'The difference between the request time and the current time is too large.',
    'The clocks of client and gateway differ by more than 15 minutes.',
    'Set both clocks by NTP.',
  ),
  ERR_S3_AUTHORIZATION_HEADER_MALFORMED: row(
    'AuthorizationHeaderMalformed',
    400,
    'The authorization header is malformed.',
    'The Authorization header lacks a part, or its credential scope names another region, service or date.',
    'Sign with Signature Version 4 for service s3 and the configured region.',
  ),
  ERR_S3_AUTHORIZATION_QUERY_PARAMETERS: row(
    'AuthorizationQueryParametersError',
    400,
    'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    'A presigned URL lacks a parameter, or one is out of range (at most 7 days).',
    'Make the URL anew with an SDK.',
  ),
  ERR_S3_INVALID_TOKEN: row(
    'InvalidToken',
    400,
    'The provided token is malformed or otherwise invalid.',
    'The session token is not the one that belongs to the access key.',
    "Renew the client's temporary credentials, or remove the token.",
  ),
  ERR_S3_EXPIRED_TOKEN: row(
    'ExpiredToken',
    400,
    'The provided token has expired.',
    'The temporary credentials ended at the time that `expires` of the client says.',
    'Give the client new credentials in `s3.clients`, with a new token and end.',
  ),
  ERR_S3_SIGNATURE_VERSION: row(
    'InvalidRequest',
    400,
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    'Signature Version 2 and 4A are not accepted.',
    'Configure the client for Signature Version 4.',
  ),
} as const satisfies S3Catalogue;

/** What came in the body, and whether it is what the client said it would be. */
export const S3_BODY_ERRORS = {
  ERR_S3_BAD_DIGEST: row(
    'BadDigest',
    400,
    'The Content-MD5 or checksum value that you specified did not match what the server received.',
    'The body was changed or damaged on its way.',
    'Send it again.',
  ),
  ERR_S3_INVALID_DIGEST: row(
    'InvalidDigest',
    400,
    'The Content-MD5 or checksum value that you specified is not valid.',
    'The header is not base64 of the right length.',
    'Correct the header.',
  ),
  ERR_S3_CONTENT_SHA256_MISMATCH: row(
    'XAmzContentSHA256Mismatch',
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    'The body differs from the one that was signed.',
    'Send it again; hash the body that is sent.',
  ),
  ERR_S3_INCOMPLETE_BODY: row(
    'IncompleteBody',
    400,
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
    'The body ended early, or is longer than announced.',
    'Send it again.',
  ),
  ERR_S3_MISSING_CONTENT_LENGTH: row(
    'MissingContentLength',
    411,
    'You must provide the Content-Length HTTP header.',
    "The body's length is not announced.",
    'Send Content-Length, or x-amz-decoded-content-length with an aws-chunked body.',
  ),
  ERR_S3_MALFORMED_CHUNK: row(
    'InvalidRequest',
    400,
    'The aws-chunked body is malformed.',
    'A chunk header, chunk end or trailer of the body cannot be read, or exceeds its limit.',
    'Send it again with a current SDK.',
  ),
  ERR_S3_MALFORMED_TRAILER: row(
    'MalformedTrailerError',
    400,
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
    'The trailer announced by x-amz-trailer did not come, or another came.',
    'Send it again with a current SDK.',
  ),
  ERR_S3_ENTITY_TOO_LARGE: row(
    'EntityTooLarge',
    400,
    'Your proposed upload exceeds the maximum allowed object size.',
    'A sealed object or part is a little larger than its plaintext, and 5 GiB is the limit for both.',
    'Upload in (smaller) parts.',
  ),
  ERR_S3_ENTITY_TOO_SMALL: row(
    'EntityTooSmall',
    400,
    'Your proposed upload is smaller than the minimum allowed size.',
    'Each part but the last needs 5 MiB.',
    'Use larger parts.',
  ),
  ERR_S3_MALFORMED_XML: row(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema.',
    'The request document cannot be read.',
    'Correct the document.',
  ),
  ERR_S3_REQUEST_TIMEOUT: row(
    'RequestTimeout',
    400,
    'Your socket connection to the server was not read from or written to within the timeout period.',
    'The client stopped sending.',
    'Send it again.',
  ),
} as const satisfies S3Catalogue;
