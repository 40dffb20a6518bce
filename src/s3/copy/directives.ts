/**
 * What a copy takes over from its source and what its request says anew: `x-amz-metadata-directive`, `x-amz-tagging-directive`. Storage
 * class, ACL, locks and website redirects are always the request's. Source: Amazon S3 API reference, CopyObject.
 */
import { S3Error } from '../errors.ts';
import type { S3Headers, S3Request } from '../operation.ts';
import type { CopySource } from '../request/copy-source.ts';
import { BOUND_SYSTEM_HEADERS } from '../sealing/request-headers.ts';

type Directive = 'COPY' | 'REPLACE';

export type Directives = { readonly metadata: Directive; readonly tagging: Directive };

/** Throws ERR_S3_INVALID_ARGUMENT. */
export function parseDirectives(headers: S3Headers): Directives {
  return {
    metadata: parseDirective(headers['x-amz-metadata-directive'], 'metadata'),
    tagging: parseDirective(headers['x-amz-tagging-directive'], 'tagging'),
  };
}

function parseDirective(text: string | undefined, name: string): Directive {
  if (text === undefined || text === 'COPY') return 'COPY';
  if (text !== 'REPLACE')
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', `Unknown ${name} directive.`, {
      details: { ArgumentName: `x-amz-${name}-directive`, ArgumentValue: text },
    });
  return text;
}

/** True where an object is copied to itself. A version is another object than the one in front of it. */
const isSameObject = ({ bucket, key }: S3Request, source: CopySource): boolean =>
  source.bucket === bucket && source.key === key && source.versionId === undefined;

/** What a copy of an object to itself can change, beside its metadata. */
const CHANGES = [
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
] as const;

/** S3 refuses a copy that would change nothing. */
export function refuseIdleCopy(request: S3Request, source: CopySource, { metadata }: Directives): void {
  if (!isSameObject(request, source) || metadata === 'REPLACE') return;
  if (CHANGES.some((name) => request.headers[name] !== undefined)) return;
  throw new S3Error(
    'ERR_S3_INVALID_REQUEST',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Headers with which the copy is made: as if its author had put it there. `source`: what a read of the source answers. */
export function destinationHeaders(
  request: S3Headers,
  source: S3Headers,
  { metadata, tagging }: Directives,
): S3Headers {
  const kept = Object.entries(request).filter(([name]) => isOfDestination(name));
  const described = Object.entries(metadata === 'COPY' ? source : request).filter(([name]) => isMetadata(name));
  const headers = Object.fromEntries([...kept, ...described]);
  if (tagging === 'REPLACE') return headers;
  const { 'x-amz-tagging': _ignored, ...untagged } = headers;
  return untagged;
}

const METADATA: ReadonlySet<string> = new Set(BOUND_SYSTEM_HEADERS);

const isMetadata = (name: string): boolean => METADATA.has(name) || name.startsWith('x-amz-meta-');

/** About the source, or about the request's own body. */
const OF_THE_REQUEST =
  /^x-amz-(?:copy-source.*|source-.*|metadata-directive|tagging-directive|sdk-checksum-algorithm|checksum-(?!algorithm$|type$).*)$/u;

const isOfDestination = (name: string): boolean =>
  name === 'if-match' ||
  name === 'if-none-match' ||
  (name.startsWith('x-amz-') && !isMetadata(name) && !OF_THE_REQUEST.test(name));
