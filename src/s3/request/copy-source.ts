/**
 * Where a copy reads from: `x-amz-copy-source` (CopyObject, UploadPartCopy) and `x-amz-rename-source` (RenameObject). Parsed in
 * every bucket, since the backend knows us alone and would let anyone copy anything: what cannot be parsed is refused.
 */
import { decodeUri } from '../../sigv4/percent-encoding.ts';
import { S3Error } from '../errors.ts';
import type { S3Headers } from '../operation.ts';
import { checked, type Place } from './target.ts';
import { EMPTY_VERSION } from './version-id.ts';

export type CopySource = Place & { readonly versionId: string | undefined };

/** The same header in the dialects of other stores, some of which know S3's as well: `x-obs-copy-source` would copy what S3's may not. */
const OF_OTHER_DIALECTS = /^x-(?!amz-)[0-9a-z]+-(?:copy|rename)-source$/u;

/** The source, in each way a backend may read it: `+` is a plus to some and a space to others. Empty where the request is no copy. */
export function parseCopySources(headers: S3Headers, bucket: string): readonly CopySource[] {
  const copy = headers['x-amz-copy-source'];
  const rename = headers['x-amz-rename-source'];
  if (Object.keys(headers).some((name) => OF_OTHER_DIALECTS.test(name)))
    throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'The source of a copy is named by x-amz-copy-source alone.');
  return [
    ...spellings(copy).map(parsePath),
    // RenameObject stays in its bucket; its header is a key, or a path with the bucket.
    ...spellings(rename).map((text) => parseRename(text, bucket)),
  ];
}

/** The source of a copy as S3 reads it, to whom a `+` is a space. Throws ERR_S3_INVALID_ARGUMENT. */
export function copySourceOf(headers: S3Headers): CopySource {
  const text = headers['x-amz-copy-source'];
  if (text === undefined) throw invalid('');
  return parsePath(text.replaceAll('+', '%20'));
}

function spellings(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  return text.includes('+') ? [text, text.replaceAll('+', '%20')] : [text];
}

function parsePath(text: string): CopySource {
  const question = text.indexOf('?versionId=');
  const path = question < 0 ? text : text.slice(0, question);
  const versionId = question < 0 ? undefined : decodeUri(text.slice(question + '?versionId='.length));
  const decoded = decodeUri(path);
  // A second question mark, or an ARN of an access point, would be read in another way by the backend.
  if (decoded === undefined || /[?&]/u.test(versionId ?? '') || /^\/?arn:/iu.test(decoded)) throw invalid(text);
  if (versionId === '') throw invalid('', EMPTY_VERSION);
  if (question >= 0 && versionId === undefined) throw invalid(text);
  const rest = decoded.startsWith('/') ? decoded.slice(1) : decoded;
  const slash = rest.indexOf('/');
  if (slash <= 0 || slash === rest.length - 1) throw invalid(text);
  return { ...checked({ bucket: rest.slice(0, slash), key: rest.slice(slash + 1) }), versionId };
}

function parseRename(text: string, bucket: string): CopySource {
  const decoded = decodeUri(text);
  if (decoded === undefined || decoded === '') throw invalid(text);
  const prefix = `/${bucket}/`;
  const key = decoded.startsWith(prefix) ? decoded.slice(prefix.length) : decoded.replace(/^\//u, '');
  return { ...checked({ bucket, key }), versionId: undefined };
}

const NO_SOURCE = 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey';

const invalid = (text: string, message = NO_SOURCE): S3Error =>
  new S3Error('ERR_S3_INVALID_ARGUMENT', message, {
    details: { ArgumentName: 'x-amz-copy-source', ArgumentValue: text },
  });
