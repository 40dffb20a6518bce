/** A form upload up to its file: fields, with variables replaced, and the file as a body whose length is known before it is read. */
import { sourceOf, type ByteSource } from '../bodies/byte-source.ts';
import type { PulledBytes } from '../bodies/pulled-bytes.ts';
import { S3Error } from '../errors.ts';
import { BUFFERED_FORM_BYTES, MAX_BODY_BYTES, MAX_FORM_BYTES } from '../limits.ts';
import type { S3Headers } from '../operation.ts';
import { FormParts, formBoundary, malformedForm } from './form-parts.ts';

export type Form = {
  /** Names in small letters, as sent. */
  readonly fields: ReadonlyMap<string, string>;
  /** Begins to read the file; once. */
  readonly file: () => Promise<FormFile>;
};

export type FormFile = { readonly length: number; readonly bytes: ByteSource };

const UNKNOWN_LENGTH = 'The file must be the last field of the form.';

/**
 * Reads up to the file. Of this a small rest is read whole; of a large one the length is what the form leaves when it ends right behind the file, as
 * every browser and library writes it, and that is held to be so before the last byte is given away. Errors: ERR_S3_MALFORMED_FORM,
 * ERR_S3_FORM_TOO_LONG, ERR_S3_MISSING_CONTENT_LENGTH, ERR_S3_INVALID_ARGUMENT.
 */
export async function readForm(headers: S3Headers, source: PulledBytes): Promise<Form> {
  const total = contentLength(headers);
  const boundary = formBoundary(headers['content-type']);
  if (boundary === undefined)
    throw new S3Error('ERR_S3_PRECONDITION_FAILED', 'Bucket POST must be of the enclosure-type multipart/form-data');
  const parts = new FormParts(source, boundary, MAX_FORM_BYTES);
  const fields = new Map<string, string>();
  for (let head = await parts.next(); head !== undefined; head = await parts.next()) {
    const name = head.name.toLowerCase();
    if (name === 'file') return { fields: expanded(fields, head.filename ?? ''), file: () => readFile(parts, total) };
    if (fields.has(name)) throw new S3Error('ERR_S3_INVALID_ARGUMENT', `The form has two fields of one name: ${name}`);
    fields.set(name, await parts.text());
  }
  throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'POST requires exactly one file upload per request.');
}

function contentLength(headers: S3Headers): number {
  const text = headers['content-length'];
  if (text === undefined || !/^\d{1,15}$/u.test(text)) throw new S3Error('ERR_S3_MISSING_CONTENT_LENGTH');
  const length = Number(text);
  if (length > MAX_BODY_BYTES + MAX_FORM_BYTES) throw new S3Error('ERR_S3_ENTITY_TOO_LARGE');
  return length;
}

async function readFile(parts: FormParts, total: number): Promise<FormFile> {
  const left = total - parts.usedBytes;
  if (left <= BUFFERED_FORM_BYTES) {
    const bytes = await parts.rest();
    return { length: bytes.length, bytes: sourceOf([bytes]) };
  }
  const length = parts.lastLength(left);
  if (length < 0) throw malformedForm(UNKNOWN_LENGTH);
  return { length, bytes: { pour: (take) => parts.last(length, take) } };
}

/** Not of these: their values are compared as they were signed. */
const SIGNED = new Set(['policy', 'x-amz-signature', 'x-amz-credential', 'x-amz-algorithm', 'x-amz-date']);

/** `${filename}` becomes the file's name, without the folders that some browsers send. */
function expanded(fields: ReadonlyMap<string, string>, filename: string): ReadonlyMap<string, string> {
  const name = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  return new Map(
    [...fields].map(([field, value]) => [
      field,
      SIGNED.has(field) ? value : value.replaceAll('${filename}', () => name),
    ]),
  );
}
