/** An S3Error as S3 writes it. The one place where our errors meet S3's wire form. */
import type { S3Error } from '../errors.ts';
import { S3_WORDS } from '../error-words.ts';
import { codeFor, errorDetails, type AskedFor } from './error-details.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** `asked`: where so much of the request was understood. */
export function formatErrorDocument(error: S3Error, requestId: string, resource: string, asked?: AskedFor): Uint8Array {
  const code = codeFor(error.s3Code, error.details, asked);
  const fields = {
    Code: code,
    Message: code === error.s3Code ? error.message : (S3_WORDS.get(code) ?? error.message),
    ...(asked === undefined ? {} : errorDetails(code, error.headers, asked)),
    ...error.details,
    Resource: resource,
    RequestId: requestId,
    HostId: 'sealgate',
  };
  const elements = Object.entries(fields).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<Error>${elements.join('')}</Error>`);
}

/** Characters XML 1.0 cannot hold at all become U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"']/gu, (c) => ESCAPES[c] ?? c)

    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, '\ufffd');
}
