/** The catalogue behind `errors.ts`: one row per error, in S3's words where S3 has the error. Feeds docs/ERRORS.md. */
import { S3_AUTH_ERRORS, S3_BODY_ERRORS } from './error-catalogue-access.ts';
import { S3_ENCRYPTION_ERRORS } from './error-catalogue-encryption.ts';
import { row, type S3Catalogue } from './error-row.ts';

/** What was asked, and of which bucket and key. */
export const S3_REQUEST_ERRORS = {
  ERR_S3_NOT_IMPLEMENTED: row(
    'NotImplemented',
    501,
    'A header or query you provided implies functionality that is not implemented.',
    'The operation is not built for buckets with a sealing rule; forwarding it could carry plaintext or ciphertext around the gateway.',
    'Use another operation, or a bucket without a sealing rule.',
  ),
  ERR_S3_INVALID_REQUEST: row(
    'InvalidRequest',
    400,
    'Invalid Request',
    'Headers or parameters contradict each other.',
    'Correct the request.',
  ),
  ERR_S3_INVALID_ARGUMENT: row(
    'InvalidArgument',
    400,
    'Invalid Argument',
    'A parameter or header has a value that cannot be used.',
    'Correct the request.',
  ),
  ERR_S3_INVALID_URI: row(
    'InvalidURI',
    400,
    "Couldn't parse the specified URI.",
    'The path is not percent-encoded UTF-8.',
    'Encode the key.',
  ),
  ERR_S3_INVALID_BUCKET_NAME: row(
    'InvalidBucketName',
    400,
    'The specified bucket is not valid.',
    'Bucket names have 3 to 63 lower-case letters, digits, dots and hyphens.',
    'Correct the name.',
  ),
  ERR_S3_KEY_TOO_LONG: row(
    'KeyTooLongError',
    400,
    'Your key is too long',
    'Keys have at most 1024 bytes.',
    'Use a shorter key.',
  ),
  ERR_S3_INVALID_RANGE: row(
    'InvalidRange',
    416,
    'The requested range is not satisfiable',
    "The range starts behind the object's end.",
    'Ask for an existing range.',
  ),
  ERR_S3_INVALID_PART: row(
    'InvalidPart',
    400,
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    'A part named on completion is not there.',
    'Upload it, then complete.',
  ),
  ERR_S3_INVALID_PART_ORDER: row(
    'InvalidPartOrder',
    400,
    'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
    'Part numbers on completion do not ascend.',
    'Sort them.',
  ),
  ERR_S3_INVALID_PART_NUMBER: row(
    'InvalidArgument',
    400,
    'Part number must be an integer between 1 and 10000, inclusive',
    'The part number is out of range.',
    'Use fewer, larger parts.',
  ),
  ERR_S3_LAST_PART_NUMBER: row(
    'InvalidArgument',
    400,
    'In a sealed bucket part number 10000 must have at least 1 byte',
    "The store has 10 000 parts for an object. An empty one of the last number could not be told from the one that holds the sealed list of an object's parts.",
    'Leave the empty part away, or give it a lower number.',
  ),
  ERR_S3_METADATA_TOO_LARGE: row(
    'MetadataTooLarge',
    400,
    'Your metadata headers exceed the maximum allowed metadata size',
    'Clients have 2 KB of user metadata, as on S3. It is kept sealed in the envelope, which needs 300 to 500 bytes and a third more than what it holds, of what the store takes in all.',
    'Use less metadata: MaxSizeAllowed says how much fits. A store that takes more than 2 KB: `capabilities.metadataBytes` of its entry (`s3.upstream`, `s3.otherUpstreams`).',
  ),
  ERR_S3_REDIRECT_LOCATION: row(
    'InvalidRedirectLocation',
    400,
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
    'x-amz-website-redirect-location is neither a path nor a URL.',
    'Correct it.',
  ),
  ERR_S3_METHOD_NOT_ALLOWED: row(
    'MethodNotAllowed',
    405,
    'The specified method is not allowed against this resource.',
    'No S3 operation has this method, path and query.',
    'Correct the request.',
  ),
  ERR_S3_RESERVED_NAME: row(
    'InvalidArgument',
    400,
    'Metadata names that begin with x-amz-meta-sealgate are reserved.',
    'The gateway keeps its envelope under these names; clients may not set them.',
    'Use other names.',
  ),
  ERR_S3_NO_SUCH_BUCKET: row(
    'NoSuchBucket',
    404,
    'The specified bucket does not exist',
    'The bucket is not there.',
    'Create it.',
  ),
  ERR_S3_NO_SUCH_KEY: row(
    'NoSuchKey',
    404,
    'The specified key does not exist.',
    'The object is not there.',
    'Check the key.',
  ),
  ERR_S3_NO_SUCH_UPLOAD: row(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    'The upload id is not one this gateway gave for this bucket and key, or the upload is over.',
    'Start a new upload.',
  ),
  ERR_S3_NOT_MODIFIED: row('NotModified', 304, 'Not Modified', 'The condition of the request holds.', 'Nothing.'),
  ERR_S3_PRECONDITION_FAILED: row(
    'PreconditionFailed',
    412,
    'At least one of the pre-conditions you specified did not hold',
    'If-Match, If-None-Match or a date condition does not hold.',
    'Read the object anew.',
  ),
  ERR_S3_REQUEST_HEADERS_TOO_LARGE: row(
    'RequestHeaderSectionTooLarge',
    400,
    'Your request header section exceeds the maximum allowed request header section size.',
    'The request line and headers exceed the limit.',
    'Send fewer or shorter headers.',
  ),
} as const satisfies S3Catalogue;

/** What failed behind the gateway, or in it. */
export const S3_SERVER_ERRORS = {
  ERR_S3_UPSTREAM_ANSWER: row(
    'InternalError',
    500,
    'The storage behind the gateway answered with an error.',
    'The backend refused the request; its code and status are relayed.',
    'See the code.',
  ),
  ERR_S3_UPSTREAM_UNREACHABLE: row(
    'ServiceUnavailable',
    503,
    'The storage behind the gateway cannot be reached. Please try again.',
    'Connecting to the backend failed, or it closed the connection.',
    'Check the backend, and the `endpoint` of its entry (`s3.upstream`, `s3.otherUpstreams`).',
  ),
  ERR_S3_UPSTREAM_TIMEOUT: row(
    'ServiceUnavailable',
    503,
    'The storage behind the gateway did not answer in time. Please try again.',
    'The backend is overloaded or hangs.',
    'Check the backend.',
  ),
  ERR_S3_UPSTREAM_CREDENTIALS: row(
    'InternalError',
    500,
    'The gateway has no valid credentials for the storage behind it.',
    "The backend refused the gateway's own signature, or no credentials were found.",
    'Check the `credentials` of its entry (`s3.upstream`, `s3.otherUpstreams`).',
  ),
  ERR_S3_UPSTREAM_PROTOCOL: row(
    'InternalError',
    500,
    'The storage behind the gateway gave an answer that cannot be used.',
    "The backend's answer lacks what S3 promises.",
    'Run `sealgate check`; see the log.',
  ),
  ERR_S3_SEALED_OBJECT_INVALID: row(
    'InternalError',
    500,
    'The stored object cannot be opened.',
    'Its envelope is missing or malformed, or its bytes were changed: nothing is served.',
    'See the audit log; restore the object from a backup.',
  ),
  ERR_S3_PLAIN_OBJECT: row(
    'AccessDenied',
    403,
    'The object is not sealed, and the time in which plain objects were read here is over.',
    'The bucket’s rule says `plainObjects: read` and has an end (`plainObjectsUntil`), which has passed; the object has no envelope.',
    'Set a later `plainObjectsUntil`, and seal the object: copy it to itself through the gateway (docs/S3-ENCRYPTION.md). Where it should be sealed already, its envelope was lost or taken: restore it from a backup.',
  ),
  ERR_S3_KEYS_UNREACHABLE: row(
    'ServiceUnavailable',
    503,
    'The key manager cannot be reached. Please try again.',
    'The keys are held elsewhere (`keys.remote`) and no good answer came from there; or the audit log or the key store cannot be written; or the process that owns them ends. Nothing was opened or sealed.',
    'The log has the code of the cause; see its section. Clients try again by themselves.',
  ),
  ERR_S3_SLOW_DOWN: row(
    'SlowDown',
    503,
    'Please reduce your request rate.',
    "The gateway's memory bound for bytes in flight is reached.",
    'Retry; raise `s3.limits` if it happens often.',
  ),
  ERR_S3_SHUTTING_DOWN: row(
    'ServiceUnavailable',
    503,
    'The gateway is shutting down. Please try again.',
    'The process is draining.',
    'Retry.',
  ),
  ERR_S3_INTERNAL: row(
    'InternalError',
    500,
    'We encountered an internal error. Please try again.',
    'A bug in the gateway.',
    'See the log under the request id, and report it.',
  ),
} as const satisfies S3Catalogue;

/** What ends a command, not a request. */
export const S3_SETUP_ERRORS = {
  ERR_S3_RULES: row(
    'InternalError',
    500,
    'The bucket rules contradict each other.',
    'Two rules match the same keys equally well and say different things.',
    'Make one more specific, or remove it.',
  ),
  ERR_S3_LISTEN: row(
    'InternalError',
    500,
    'The S3 listener cannot be opened.',
    'The port is taken, or may not be used.',
    'Choose another `s3.listen`.',
  ),
} as const satisfies S3Catalogue;

export const S3_ERRORS = {
  ...S3_AUTH_ERRORS,
  ...S3_BODY_ERRORS,
  ...S3_REQUEST_ERRORS,
  ...S3_ENCRYPTION_ERRORS,
  ...S3_SERVER_ERRORS,
  ...S3_SETUP_ERRORS,
} as const satisfies S3Catalogue;
