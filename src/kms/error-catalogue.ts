/**
 * The catalogue behind `errors.ts`: one row per error, under the name AWS KMS gives it. On AWS's wire client errors are 400
 * whatever its model says (SDKs dispatch on the name); 500 and 503 are what clients retry. Feeds docs/ERRORS.md.
 */
import { IMPORT_ERRORS } from './error-catalogue-import.ts';
import { row, type KmsCatalogue } from './error-row.ts';

/** The request as such: transport, form, who asks. */
const REQUEST_ERRORS = {
  ERR_KMS_SERIALIZATION: row(
    'SerializationException',
    400,
    'The request cannot be read.',
    'The body is not JSON, names a member twice, or a member is not of its type. The message says which.',
    'Send what a current SDK sends.',
  ),
  ERR_KMS_VALIDATION: row(
    'ValidationException',
    400,
    'A value of the request is outside its limits.',
    'A member is missing, too long, too large or not one of the words allowed; or members exclude each other.',
    'The message names each member and the constraint it fails.',
  ),
  ERR_KMS_UNKNOWN_OPERATION: row(
    'UnknownOperationException',
    400,
    'There is no such operation.',
    'The request is not `POST /` with content type `application/x-amz-json-1.1` and a header `X-Amz-Target: TrentService.<Action>` that names an action.',
    'Use an SDK or `aws kms`, with the endpoint set to this listener.',
  ),
  ERR_KMS_TOO_LARGE: row(
    'RequestEntityTooLargeException',
    413,
    'The request is too large.',
    'A body has at most 1 MiB; no action needs as much.',
    'Encrypt data locally under a data key (GenerateDataKey), not by sending it.',
  ),
  ERR_KMS_HEADERS_TOO_LARGE: row(
    'RequestHeaderSectionTooLargeException',
    431,
    'The request line and headers are too large.',
    'They have at most 32 KiB.',
    'Send fewer or shorter headers.',
  ),
  ERR_KMS_TIMEOUT: row(
    'RequestTimeoutException',
    408,
    'The request did not arrive in time.',
    'Headers and body have to arrive within 30 seconds.',
    'Send the request again.',
  ),
  ERR_KMS_MALFORMED_HTTP: row(
    'MalformedHttpRequestException',
    400,
    'This is no HTTP request.',
    'What was sent is not HTTP/1.1, or plain HTTP was sent where TLS is served.',
    'Correct scheme and port of the endpoint.',
  ),
  ERR_KMS_MISSING_AUTHENTICATION: row(
    'MissingAuthenticationTokenException',
    400,
    'Missing Authentication Token',
    'The request is not signed, and came with no client certificate that stands for a caller.',
    'Configure access key and secret, or a client certificate, in the client.',
  ),
  ERR_KMS_INCOMPLETE_SIGNATURE: row(
    'IncompleteSignatureException',
    400,
    'The request signature does not conform to AWS standards.',
    'A part of the Authorization header is missing or cannot be read, or the scheme is not AWS4-HMAC-SHA256.',
    'Sign with a current SDK.',
  ),
  ERR_KMS_INVALID_SIGNATURE: row(
    'InvalidSignatureException',
    400,
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    'The secret differs, the request was changed or repeated after it was signed, its clock is more than five minutes off, or it is scoped to another region or service.',
    "Compare the secret, set both clocks by NTP, and configure the client for the listener's region.",
  ),
  ERR_KMS_UNRECOGNIZED_CLIENT: row(
    'UnrecognizedClientException',
    400,
    'The security token included in the request is invalid.',
    'The configuration names no such access key, the session token is not its own, or the client certificate stands for nobody.',
    'Add the caller to `kms.clients`, or correct the client.',
  ),
  ERR_KMS_ACCESS_DENIED: row(
    'AccessDeniedException',
    400,
    'The caller may not do this.',
    'No key policy, identity policy or grant allows it, or one denies it; or the ciphertext names a key that is not here.',
    "Ask the key's administrator; the audit record says what decided.",
  ),
  ERR_KMS_THROTTLED: row(
    'ThrottlingException',
    400,
    'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    'More requests are under way than the listener holds in memory, or more operations with key pairs than can be served soon.',
    'Nothing: SDKs try again by themselves, more slowly.',
  ),
} as const satisfies KmsCatalogue;

/** What was asked of which key. */
const KEY_ERRORS = {
  ERR_KMS_NOT_FOUND: row(
    'NotFoundException',
    400,
    'No such key, alias or policy.',
    'The name is wrong, or an alias was given where only a key id or key ARN will do.',
    'List what exists: `aws kms list-keys`, `aws kms list-aliases`.',
  ),
  ERR_KMS_INVALID_ARN: row(
    'InvalidArnException',
    400,
    'This is no ARN of a key.',
    'It has not the form of a key ARN.',
    'Give a key id, or a key ARN as DescribeKey shows it.',
  ),
  ERR_KMS_DISABLED: row(
    'DisabledException',
    400,
    'The key is disabled.',
    'It was disabled by an administrator, or its deletion was cancelled.',
    'Enable it: `aws kms enable-key`.',
  ),
  ERR_KMS_INVALID_STATE: row(
    'KMSInvalidStateException',
    400,
    'The state of the key does not allow this.',
    'It is pending deletion or import, or its material is suspended, compromised or destroyed.',
    '`aws kms describe-key` shows the state.',
  ),
  ERR_KMS_INVALID_CIPHERTEXT: row(
    'InvalidCiphertextException',
    400,
    'The ciphertext does not open.',
    'It is malformed, changed, from another key manager, or the encryption context is not the one it was encrypted with. Which of these is not said.',
    'Give the ciphertext and the context exactly as they were stored.',
  ),
  ERR_KMS_INCORRECT_KEY: row(
    'IncorrectKeyException',
    400,
    'The key ID in the request does not identify a CMK that can perform this operation.',
    'The ciphertext was encrypted under another key than the request names.',
    'Name the key that encrypted it, or none.',
  ),
  ERR_KMS_INVALID_KEY_USAGE: row(
    'InvalidKeyUsageException',
    400,
    'The key cannot do this.',
    'Its usage or specification does not fit the operation or the algorithm.',
    'Use a key made for it.',
  ),
  ERR_KMS_DRY_RUN: row(
    'DryRunOperationException',
    400,
    'The request would have succeeded, but the DryRun option is set.',
    'The request asked only whether it would succeed.',
    'Leave `DryRun` away to do it.',
  ),
  ERR_KMS_INVALID_MAC: row(
    'KMSInvalidMacException',
    400,
    'The MAC does not verify.',
    'The message or the MAC was changed, or another key or algorithm made it.',
    'Ask with what GenerateMac was asked with; if that is what you did, do not trust the message.',
  ),
  ERR_KMS_WRONG_SIGNATURE: row(
    'KMSInvalidSignatureException',
    400,
    'The signature does not verify.',
    'The message or the signature was changed, another key or algorithm made it, or a digest was given as a message.',
    'Ask with what Sign was asked with, MessageType included; if that is what you did, do not trust the message.',
  ),
  ERR_KMS_UNSUPPORTED: row(
    'UnsupportedOperationException',
    400,
    'This is not supported.',
    'The action, a parameter, or the kind of key is not supported here: custom key stores and attestation never are.',
    'The message names what is not supported.',
  ),
  ERR_KMS_LIMIT_EXCEEDED: row(
    'LimitExceededException',
    400,
    'A quota is exceeded.',
    'The message names it.',
    'Remove what is no longer needed.',
  ),
  ERR_KMS_CONFLICT: row(
    'ConflictException',
    400,
    'Another change of the key is about to be made.',
    'Its automatic rotation is due within 20 minutes.',
    'Wait for it.',
  ),
  ERR_KMS_ALREADY_EXISTS: row(
    'AlreadyExistsException',
    400,
    'The alias exists already.',
    'An alias names one key.',
    'Choose another name, or move the alias with UpdateAlias.',
  ),
  ERR_KMS_INVALID_ALIAS: row(
    'InvalidAliasNameException',
    400,
    'The alias name is not allowed.',
    'Names that begin with `alias/aws/` are reserved.',
    'Choose another name.',
  ),
  ERR_KMS_INVALID_MARKER: row(
    'InvalidMarkerException',
    400,
    'The marker is not one that this list gave.',
    'Markers are opaque, and each belongs to one list.',
    'Send `NextMarker` of the page before, unchanged.',
  ),
  ERR_KMS_INVALID_GRANT_ID: row(
    'InvalidGrantIdException',
    400,
    'This is no grant id.',
    'A grant id is 64 hex digits.',
    'Give the id that CreateGrant answered; ListGrants shows it.',
  ),
  ERR_KMS_INVALID_GRANT_TOKEN: row(
    'InvalidGrantTokenException',
    400,
    'A grant token is not valid.',
    'No grant gave it, or its grant is no more.',
    'Leave `GrantTokens` away: grants are in force at once here.',
  ),
  ERR_KMS_TAG: row(
    'TagException',
    400,
    'A tag is not valid.',
    'A key has at most 50 tags, each name once, none beginning with `aws:`.',
    'Correct the tags.',
  ),
  ERR_KMS_MALFORMED_POLICY: row(
    'MalformedPolicyDocumentException',
    400,
    'The policy is not valid.',
    'It is not JSON, not a policy, or would lock its caller out.',
    'The message says what is wrong with it.',
  ),
} as const satisfies KmsCatalogue;

/** What fails on our side. */
const SERVICE_ERRORS = {
  ERR_KMS_INTERNAL: row(
    'KMSInternalException',
    500,
    'An internal error occurred.',
    'Something failed in a way no error describes: the log has it under the request id. Nothing was acknowledged.',
    'Try again; if it persists, report it with the log line.',
  ),
  ERR_KMS_UNAVAILABLE: row(
    'DependencyTimeoutException',
    503,
    'The key manager cannot serve now.',
    'Its store or audit trail cannot be written, or it is shutting down.',
    'The log and `/readyz` name the reason. SDKs try again by themselves.',
  ),
  ERR_KMS_LISTEN: row(
    'KMSInternalException',
    500,
    'The KMS listener could not be opened.',
    'Another process has the port, or the address is none of this machine.',
    'Choose another `kms.listen.port` or `kms.listen.host`.',
  ),
} as const satisfies KmsCatalogue;

export const KMS_ERRORS = {
  ...REQUEST_ERRORS,
  ...KEY_ERRORS,
  ...IMPORT_ERRORS,
  ...SERVICE_ERRORS,
} as const satisfies KmsCatalogue;
