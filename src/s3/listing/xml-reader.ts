/**
 * Reads one document into a tree in one pass: a page of 1000 rows is thousands of elements, and reading it is most of what a listing costs.
 * Elements, texts, CDATA, references to characters and to XML's own five entities; attributes, comments and processing instructions carry
 * nothing in S3's documents and are passed over. What is not well-formed, or has a DTD, is no document.
 *
 * Threat: documents of clients and of backends. Nesting and number of tags and attributes are bounded, and no text is looked at twice.
 * Source: Extensible Markup Language 1.0 (W3C), productions 3, 14 to 21, 39 to 44, 66, 67.
 */
import { S3Error } from '../errors.ts';
import { MAX_XML_DEPTH, MAX_XML_TAGS } from '../limits.ts';

/** An element: its text, or its children by name in order. */
export type XmlTree = { readonly text: string; readonly children: ReadonlyMap<string, readonly XmlTree[]> };

type OpenElement = {
  /** As written, for the closing tag. */
  readonly tag: string;
  readonly name: string;
  text: string;
  hasText: boolean;
  hasCdata: boolean;
  children: Map<string, XmlTree[]> | undefined;
};

const GREATER_THAN = 0x3e;
const NO_CHILDREN: ReadonlyMap<string, readonly XmlTree[]> = new Map();
const TAG = /[A-Za-z_:\u0080-\uffff][-\w.:\u0080-\uffff]*/uy;
/** Blanks are these alone (3): others know more of them. A carriage return is a line feed by then. */
const ATTRIBUTE = /[ \t\n]+[^ \t\n=<>/"']+[ \t\n]*=[ \t\n]*(?:"[^"<]*"|'[^'<]*')/uy;
const BLANKS = /[ \t\n]*/uy;
const BLANK = /^[ \t\n]*$/u;
/** What other readers of such documents keep objects under. */
const NO_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** The root element by its name without prefix. Throws ERR_S3_MALFORMED_XML. */
export function readXml(document: string): { readonly name: string; readonly tree: XmlTree } {
  return new XmlReader(document).read();
}

class XmlReader {
  readonly #text: string;
  #at: number;
  /** Tags and attributes. */
  #marks = 0;
  readonly #open: OpenElement[] = [];
  #root: { readonly name: string; readonly tree: XmlTree } | undefined;

  constructor(document: string) {
    // Lines end in a line feed, however they are written (2.11).
    this.#text = document.includes('\r') ? document.replace(/\r\n?/gu, '\n') : document;
    this.#at = document.startsWith('\ufeff') ? 1 : 0;
  }

  read(): { readonly name: string; readonly tree: XmlTree } {
    for (;;) {
      const next = this.#text.indexOf('<', this.#at);
      this.#takeText(next < 0 ? this.#text.length : next);
      if (next < 0) break;
      this.#count();
      this.#at = next + 1;
      this.#takeMarkup();
    }
    if (this.#root === undefined || this.#open.length > 0) throw malformed();
    return this.#root;
  }

  #takeText(end: number): void {
    if (end === this.#at) return;
    const text = this.#text.slice(this.#at, end);
    const element = this.#open.at(-1);
    if (element !== undefined) {
      element.text += decoded(text);
      element.hasText = true;
    } else if (!BLANK.test(text)) throw malformed();
  }

  #takeMarkup(): void {
    switch (this.#text[this.#at]) {
      case '/':
        return this.#takeEnd();
      case '?':
        return this.#takeInstruction();
      case '!':
        return this.#takeDeclaration();
      default:
        return this.#takeStart();
    }
  }

  #takeInstruction(): void {
    this.#at += 1;
    if (this.#match(TAG) === '') throw malformed();
    this.#skipTo('?>');
  }

  #takeDeclaration(): void {
    if (this.#text.startsWith('!--', this.#at)) {
      this.#at += '!--'.length;
      // Some readers end a comment elsewhere: within it two hyphens do not stand together.
      this.#skipTo('--');
      if (this.#text[this.#at] !== '>') throw malformed();
      this.#at += 1;
      return;
    }
    const element = this.#open.at(-1);
    if (element === undefined || !this.#text.startsWith('![CDATA[', this.#at)) throw malformed();
    const from = this.#at + '![CDATA['.length;
    this.#skipTo(']]>');
    element.text += this.#text.slice(from, this.#at - ']]>'.length);
    element.hasCdata = true;
  }

  #takeStart(): void {
    const tag = this.#plainTag() ?? this.#match(TAG);
    const name = tag.slice(tag.indexOf(':') + 1);
    if (tag === '' || name === '' || NO_NAMES.has(name)) throw malformed();
    if (this.#root !== undefined || this.#open.length >= MAX_XML_DEPTH) throw malformed();
    if (this.#text[this.#at] !== '>') this.#takeAttributes();
    const isEmpty = this.#text[this.#at] === '/';
    if (isEmpty) this.#at += 1;
    if (this.#text[this.#at] !== '>') throw malformed();
    this.#at += 1;
    this.#open.push({ tag, name, text: '', hasText: false, hasCdata: false, children: undefined });
    if (isEmpty) this.#close();
  }

  /** What nearly all are: letters and nothing else up to the end of the tag, for which a pattern is slow. */
  #plainTag(): string | undefined {
    let end = this.#at;
    for (; ; end += 1) {
      // Small letters and capitals differ by one bit. Beyond the end it is no number.
      const letter = this.#text.charCodeAt(end) | 0x20;
      if (!(letter >= 0x61 && letter <= 0x7a)) break;
    }
    if (end === this.#at || this.#text.charCodeAt(end) !== GREATER_THAN) return undefined;
    const tag = this.#text.slice(this.#at, end);
    this.#at = end;
    return tag;
  }

  #takeAttributes(): void {
    // One by one: a pattern for all of them runs out of stack.
    while (this.#match(ATTRIBUTE) !== '') this.#count();
    this.#match(BLANKS);
  }

  #takeEnd(): void {
    this.#at += 1;
    const tag = this.#open.at(-1)?.tag;
    if (tag === undefined || !this.#text.startsWith(tag, this.#at)) throw malformed();
    this.#at += tag.length;
    const end = this.#text.indexOf('>', this.#at);
    if (end < 0 || (end > this.#at && !BLANK.test(this.#text.slice(this.#at, end)))) throw malformed();
    this.#at = end + 1;
    this.#close();
  }

  #close(): void {
    const element = this.#open.pop();
    // Whoever writes both has two readings in mind.
    if (element === undefined || (element.hasText && element.hasCdata)) throw malformed();
    const { name, text, children = NO_CHILDREN } = element;
    const tree = { text, children };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = { name, tree };
    else add((parent.children ??= new Map<string, XmlTree[]>()), name, tree);
  }

  #count(): void {
    if ((this.#marks += 1) > MAX_XML_TAGS) throw malformed();
  }

  #skipTo(mark: string): void {
    const found = this.#text.indexOf(mark, this.#at);
    if (found < 0) throw malformed();
    this.#at = found + mark.length;
  }

  /** What the pattern finds here, which may be nothing; it is used up. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }
}

const malformed = (): S3Error => new S3Error('ERR_S3_MALFORMED_XML');

function add(children: Map<string, XmlTree[]>, name: string, tree: XmlTree): void {
  const known = children.get(name);
  if (known === undefined) children.set(name, [tree]);
  else known.push(tree);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const REFERENCE = /&(?:#x([0-9a-fA-F]{1,8});|#([0-9]{1,8});|(lt|gt|amp|quot|apos);)?/gu;

function decoded(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (_whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? '';
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    // A half of a pair is no character: encoded again it would be another key than the one rules are asked about.
    if (Number.isNaN(code) || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw malformed();
    return String.fromCodePoint(code);
  });
}
