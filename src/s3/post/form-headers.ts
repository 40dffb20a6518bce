/** A form's fields as the headers that a PUT would have. */
import type { S3Headers } from '../operation.ts';
import { headerValue } from '../request/headers.ts';
import { formatTags, parseTagDocument } from '../request/tagging.ts';

/** Fields that are headers by their own name; all others of a form are for the form alone. */
const HEADER =
  /^(?:cache-control|content-disposition|content-encoding|content-language|content-md5|content-type|expires|if-match|if-none-match|x-amz-(?:meta-.+|server-side-encryption.*|storage-class|website-redirect-location|object-lock-.*|checksum-.*|sdk-checksum-algorithm|grant-.*|request-payer|expected-bucket-owner))$/u;

/** ERR_S3_INVALID_ARGUMENT where a value cannot stand in a header, and what `parseTagDocument` throws. */
export function formHeaders(fields: ReadonlyMap<string, string>): S3Headers {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (name === 'acl') headers['x-amz-acl'] = headerValue('x-amz-acl', value);
    else if (name === 'tagging') headers['x-amz-tagging'] = taggingHeader(value);
    else if (HEADER.test(name)) headers[name] = headerValue(name, value);
  }
  return headers;
}

function taggingHeader(text: string): string {
  return formatTags(parseTagDocument(Buffer.from(text)));
}
