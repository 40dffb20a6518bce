/**
 * Opens a whole stored object as it flows, of either layout; parts delimit themselves by their headers.
 *
 * Invariant: the last piece of plaintext is given out only when the object was proven whole (record of a single PUT; footer of a
 * multipart object, against every part that passed): a reader that was promised the length notices anything missing. For an
 * EMPTY object there is no such piece: wait for `finish` before promising anything.
 */
import type { Dek } from '../../crypto/key-types.ts';
import { openFailed } from '../errors.ts';
import { BodyReader } from './body-opener.ts';
import { isFooterPart, matchesParts, openFooter, type Footer, type FooterPart } from './footer.ts';
import type { ObjectLayout } from './object-envelope.ts';
import type { PartHeader } from './part-header.ts';
import type { BodyRecord } from './record.ts';

export type ObjectOpenerInput = {
  readonly dek: Dek;
  readonly objectId: Uint8Array;
  readonly layout: ObjectLayout;
  /**
   * Of a multipart object, from its tail, read first: then no part is opened that the footer does not list in this place. Without it
   * parts must be numbered 1, 2, 3 and so on (numbers with gaps are legal, but a gap may as well be a part taken out).
   */
  readonly footer?: ListedParts | undefined;
};

/** What a footer lists, as far as a reader needs it beforehand. */
export type ListedParts = Pick<Footer, 'partCount' | 'partNumbers' | 'parts'>;

/** What a whole object proved to be. */
export type OpenedObject = {
  readonly plainSize: number;
  /** Of a single PUT. */
  readonly record: BodyRecord | undefined;
  /** Of a multipart object. */
  readonly footer: Footer | undefined;
};

export class ObjectOpener {
  readonly #input: ObjectOpenerInput;
  #reader: BodyReader;
  readonly #parts: FooterPart[] = [];
  readonly #salts: Uint8Array[] = [];
  #withheld: Uint8Array | undefined;
  #plainSize = 0;
  #opened: OpenedObject | undefined;
  #failed = false;

  constructor(input: ObjectOpenerInput) {
    this.#input = input;
    this.#reader = this.#newReader();
  }

  /** Takes the next stored bytes, of any length; gives plaintext. Errors: ERR_ENVELOPE_OPEN_FAILED, then for ever. */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failed) throw openFailed();
    this.#failed = true;
    const out: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#opened !== undefined) throw openFailed();
      at = this.#reader.consume(chunk, at, out);
      if (this.#reader.record !== undefined) this.#finishBody(this.#reader.record);
    }
    this.#failed = false;
    return this.#withholdLast(out);
  }

  /** What the object was, if it was whole. Errors: ERR_ENVELOPE_OPEN_FAILED (cut). */
  finish(): OpenedObject {
    if (this.#failed || this.#opened === undefined) throw openFailed();
    return this.#opened;
  }

  #newReader(): BodyReader {
    const { dek, objectId } = this.#input;
    return new BodyReader({ dek, objectId, accepts: (header) => this.#accepts(header) });
  }

  /** Whether a body belongs here: a part out of place is refused before a byte of it is given out. */
  #accepts(header: PartHeader): boolean {
    const { layout, footer } = this.#input;
    if (layout === 'single') return header.layout === 'single';
    const index = this.#parts.length;
    if (header.layout !== 'part') return false;
    if (isFooterPart(header)) return footer === undefined ? index > 0 : index === footer.partCount;
    if (footer === undefined) return header.partNumber === index + 1;
    const length = footer.parts?.[index]?.plainLength ?? header.plainLength;
    const isPlaced = header.partNumber === footer.partNumbers[index] && header.plainLength === length;
    return isPlaced && (!header.final || index === footer.partCount - 1);
  }

  #finishBody(record: BodyRecord): void {
    const stream = this.#reader.stream;
    if (stream === undefined) throw openFailed();
    const { header, salt } = stream;
    this.#plainSize += header.plainLength;
    if (header.layout === 'single') {
      this.#opened = { plainSize: this.#plainSize, record, footer: undefined };
      return;
    }
    const { partNumber, plainLength } = header;
    if (!isFooterPart(header)) {
      this.#parts.push({ partNumber, plainLength });
      this.#salts.push(salt);
    }
    if (header.final) this.#finishObject();
    else this.#reader = this.#newReader();
  }

  #finishObject(): void {
    const block = this.#reader.footerBlock;
    if (block === undefined) throw openFailed();
    const footer = openFooter(block, this.#input.dek, this.#input.objectId);
    if (!matchesParts(footer, this.#parts, this.#salts) || footer.plainSize !== this.#plainSize) throw openFailed();
    this.#opened = { plainSize: this.#plainSize, record: undefined, footer };
  }

  #withholdLast(pieces: Uint8Array[]): Uint8Array[] {
    const out = this.#withheld === undefined ? pieces : [this.#withheld, ...pieces];
    this.#withheld = this.#opened === undefined ? out.pop() : undefined;
    return out;
  }
}
