/**
 * Reads a multipart/form-data body part by part, from a stream, holding no more than a piece of it. Source: RFC 7578, RFC 2046 (5.1).
 *
 * Threat: a form without end before its file, or a part head without end: what stands before the file is bounded.
 */
import type { Take } from '../bodies/byte-source.ts';
import type { PulledBytes } from '../bodies/pulled-bytes.ts';
import { S3Error } from '../errors.ts';

export type PartHead = {
  readonly name: string;
  /** Of parts that are files. */
  readonly filename: string | undefined;
};

const CRLF = Buffer.from('\r\n');
const END_OF_HEAD = Buffer.from('\r\n\r\n');

export const malformedForm = (message?: string): S3Error => new S3Error('ERR_S3_MALFORMED_FORM', message);

/** The boundary of the Content-Type; undefined where it is no form. */
export function formBoundary(contentType: string | undefined): string | undefined {
  const parts = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;.*)?$/iu.exec(
    contentType ?? '',
  );
  return parts?.[1] ?? parts?.[2];
}

export class FormParts {
  readonly #source: PulledBytes;
  /** What stands between parts: CR LF, two hyphens and the boundary. */
  readonly #delimiter: Buffer;
  /** Bytes that have come and are not used up. The first delimiter has no line end before it, so one is put there. */
  #held: Buffer = CRLF;
  #received = 0;
  readonly #maxBytes: number;

  /** `maxBytes`: of everything before the last part. */
  constructor(source: PulledBytes, boundary: string, maxBytes: number) {
    this.#source = source;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#maxBytes = maxBytes;
  }

  /** The next part's head; undefined at the end of the form. Precondition: the part before it was read. */
  async next(): Promise<PartHead | undefined> {
    if (this.#received === 0) await this.#until(this.#delimiter);
    const line = await this.#until(CRLF, 4);
    if (line.toString('latin1').startsWith('--')) return undefined;
    if (line.length > 0 && line.toString('latin1').trim() !== '') throw malformedForm();
    const head = await this.#until(END_OF_HEAD);
    return parseHead(head);
  }

  /** The text of a part that is no file. */
  async text(): Promise<string> {
    const bytes = await this.#until(this.#delimiter);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw malformedForm('A field of the form is not UTF-8.');
    }
  }

  /** Bytes of the body that were used up. */
  get usedBytes(): number {
    return this.#received - this.#held.length;
  }

  /** The last part in one piece, whatever stands behind it. Precondition: few bytes are left. */
  async rest(): Promise<Uint8Array> {
    const pieces = [this.#held];
    for (let piece = await this.#read(); piece !== undefined; piece = await this.#read()) pieces.push(piece);
    const all = Buffer.concat(pieces);
    const end = all.indexOf(this.#delimiter);
    if (end < 0) throw malformedForm();
    return Uint8Array.prototype.slice.call(all, 0, end);
  }

  /** How long the part is that ends the form, of which `left` bytes have not been used up. */
  lastLength(left: number): number {
    return left - this.#delimiter.length - '--\r\n'.length;
  }

  /**
   * The last part of exactly `length` bytes, and then the form's end: ERR_S3_MALFORMED_FORM where it ends elsewhere, before the last of its
   * bytes is given away.
   */
  async last(length: number, take: Take): Promise<void> {
    let left = length;
    let piece: Buffer | undefined = this.#held;
    let tail: Buffer = Buffer.alloc(0);
    for (; piece !== undefined && left > 0; piece = await this.#read()) {
      const data = piece.subarray(0, left);
      // The piece belongs to whoever takes it: what is looked at later is copied first.
      const beyond: Buffer = Buffer.from(piece.subarray(data.length));
      this.#refuseDelimiter(tail, data);
      tail = Buffer.concat([tail, data.subarray(-this.#delimiter.length)]).subarray(1 - this.#delimiter.length);
      left -= data.length;
      if (left === 0) await this.#end(beyond);
      if (data.length > 0) await take([data]);
      if (left === 0) return;
    }
    if (left > 0) throw new S3Error('ERR_S3_INCOMPLETE_BODY');
    await this.#end(piece ?? Buffer.alloc(0));
  }

  #refuseDelimiter(before: Buffer, data: Buffer): void {
    const across = Buffer.concat([before, data.subarray(0, this.#delimiter.length)]);
    if (across.includes(this.#delimiter) || data.includes(this.#delimiter))
      throw malformedForm('The file must be the last field of the form.');
  }

  async #end(begun: Buffer): Promise<void> {
    const end = Buffer.concat([this.#delimiter, Buffer.from('--\r\n')]);
    let all = begun;
    for (let piece = await this.#read(); piece !== undefined; piece = await this.#read()) {
      all = Buffer.concat([all, piece]);
      if (all.length > end.length) break;
    }
    if (!all.equals(end)) throw malformedForm('The file must be the last field of the form.');
  }

  /** What comes before `mark`; both are used up. */
  async #until(mark: Buffer, more = 0): Promise<Buffer> {
    for (let from = 0; ;) {
      const at = this.#held.indexOf(mark, from);
      if (at >= 0 && (more === 0 || at <= more)) {
        const found = Buffer.from(this.#held.subarray(0, at));
        this.#held = this.#held.subarray(at + mark.length);
        if (this.usedBytes > this.#maxBytes) throw new S3Error('ERR_S3_FORM_TOO_LONG');
        return found;
      }
      // The end of the form may come without a line end.
      if (more > 0 && this.#held.length >= 2 && this.#held.toString('latin1', 0, 2) === '--') return this.#held;
      if (more > 0 && this.#held.length > more + mark.length) throw malformedForm();
      if (this.usedBytes + this.#held.length > this.#maxBytes) throw new S3Error('ERR_S3_FORM_TOO_LONG');
      from = Math.max(0, this.#held.length - mark.length + 1);
      const piece = await this.#read();
      if (piece === undefined) throw malformedForm();
      this.#held = Buffer.concat([this.#held, piece]);
    }
  }

  async #read(): Promise<Buffer | undefined> {
    const value = await this.#source.next();
    if (value === undefined) return undefined;
    this.#received += value.length;
    return Buffer.from(value.buffer, value.byteOffset, value.length);
  }
}

function parseHead(head: Buffer): PartHead {
  const line = head
    .toString('utf8')
    .split('\r\n')
    .find((one) => /^content-disposition\s*:/iu.test(one));
  const parameters = parametersOf(line?.slice(line.indexOf(':') + 1).trim() ?? '');
  const name = parameters.get('name');
  if (name === undefined) throw malformedForm();
  return { name, filename: parameters.get('filename') };
}

/** Quoted (or bare) parameters, one behind the other: what stands within a file's name is no parameter. */
function parametersOf(disposition: string): ReadonlyMap<string, string> {
  const type = /^form-data\s*(?=;)/iu.exec(disposition)?.[0];
  if (type === undefined) throw malformedForm();
  const parameters = new Map<string, string>();
  const each = /;\s*([^\s=;"]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"]*))\s*/uy;
  let end = (each.lastIndex = type.length);
  for (let found = each.exec(disposition); found !== null; found = each.exec(disposition)) {
    const [, name = '', quoted, bare = ''] = found;
    if (parameters.has(name.toLowerCase())) throw malformedForm();
    parameters.set(name.toLowerCase(), unescaped(quoted ?? bare.trim()));
    end = each.lastIndex;
  }
  if (!/^;?\s*$/u.test(disposition.slice(end))) throw malformedForm();
  return parameters;
}

/** Browsers write a quote as `%22`, others as `\"`. */
function unescaped(text: string): string {
  return text.replace(/\\(["\\])/gu, '$1').replace(/%(?:22|0D|0A)/giu, (escape) => decodeURIComponent(escape));
}
