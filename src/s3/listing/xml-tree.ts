/**
 * S3's documents as trees of texts: element names with either a text or child elements; attributes and comments carry nothing here.
 * Nothing is trimmed or turned into numbers, and only XML's own five entities and character references are known (no DTD).
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { MAX_XML_TAGS } from '../limits.ts';

/** An element: its text, or its children by name in order. */
export type XmlTree = { readonly text: string; readonly children: ReadonlyMap<string, readonly XmlTree[]> };

/** What `formatXml` writes: a text, children by name (undefined: left out), or several elements of one name. */
export type XmlContent =
  string | number | boolean | { readonly [name: string]: XmlContent | readonly XmlContent[] | undefined };

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** The document's root, if it has this name; undefined where the text is no well-formed document of that name. */
export function parseXml(text: string, root: string): XmlTree | undefined {
  if (/<!DOCTYPE|<!ENTITY/iu.test(text) || hasTooManyTags(text)) return undefined;
  try {
    if (XMLValidator.validate(text) !== true) return undefined;
    const parsed: unknown = new XMLParser(OPTIONS).parse(text);
    const element = isRecord(parsed) ? parsed[root] : undefined;
    return element === undefined || Array.isArray(element) ? undefined : toTree(element);
  } catch {
    // The parser refuses a document for its depth or its names, and we one that mixes text and CDATA.
    return undefined;
  }
}

/** In CDATA nothing stands for something else: it is kept apart from text, in which references are. */
const CDATA = '#cdata';

const OPTIONS = {
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  cdataPropName: CDATA,
};

/** Parsing takes about 3 us a tag, and nothing else runs meanwhile: a document that costs seconds is refused by counting. */
function hasTooManyTags(text: string): boolean {
  let tags = 0;
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    tags += 1;
    if (tags > MAX_XML_TAGS) return true;
  }
  return false;
}

export const childText = (tree: XmlTree | undefined, name: string): string | undefined =>
  tree?.children.get(name)?.[0]?.text;

export const childrenOf = (tree: XmlTree | undefined, name: string): readonly XmlTree[] =>
  tree?.children.get(name) ?? [];

/** A whole document, with S3's namespace. */
export function formatXml(root: string, content: XmlContent): Uint8Array {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${element(root, content, ` xmlns="${NAMESPACE}"`)}`);
}

/** Likewise, of elements in this order: where those of two names stand among each other. */
export function formatXmlEntries(
  root: string,
  entries: readonly (readonly [string, XmlContent | undefined])[],
): Uint8Array {
  const inside = entries.map(([name, content]) => (content === undefined ? '' : element(name, content))).join('');
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${inside}</${root}>`);
}

function element(name: string, content: XmlContent, attributes = ''): string {
  return `<${name}${attributes}>${inner(content)}</${name}>`;
}

function inner(content: XmlContent): string {
  if (typeof content !== 'object') return escapeText(String(content));
  return Object.entries(content)
    .flatMap(([name, value]) =>
      (isList(value) ? value : value === undefined ? [] : [value]).map((one) => element(name, one)),
    )
    .join('');
}

const isList = (value: XmlContent | readonly XmlContent[] | undefined): value is readonly XmlContent[] =>
  Array.isArray(value);

function toTree(value: unknown): XmlTree {
  if (!isRecord(value)) return { text: decodeText(String(value)), children: new Map() };
  const children = new Map<string, readonly XmlTree[]>();
  for (const [name, child] of Object.entries(value)) {
    if (name !== '#text' && name !== CDATA) children.set(name, (Array.isArray(child) ? child : [child]).map(toTree));
  }
  return { text: textOf(value['#text'], value[CDATA]), children };
}

function textOf(text: unknown, cdata: unknown): string {
  if (cdata === undefined) return typeof text === 'string' ? decodeText(text) : '';
  if (typeof cdata !== 'string' || text !== undefined) throw new TypeError('which of them comes first is not known');
  return cdata;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeText(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{1,8}));/giu,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

// Control characters have no form in XML 1.0; S3 writes them as references all the same.
const escapeText = (text: string): string =>
  text.replace(/[<>&"\u0000-\u001f\u007f\ufffe\uffff]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return NAMED[character] ?? `&#x${code.toString(16).toUpperCase()};`;
  });

const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
