/**
 * S3's documents as trees of texts: element names with either a text or child elements; attributes and comments carry nothing here.
 * Nothing is trimmed or turned into numbers, and only XML's own five entities and character references are known (no DTD).
 */
import { SealgateError } from '../../errors.ts';
import { readXml, type XmlTree } from './xml-reader.ts';

export type { XmlTree } from './xml-reader.ts';

/** What `formatXml` writes: a text, children by name (undefined: left out), or several elements of one name. */
export type XmlContent =
  string | number | boolean | { readonly [name: string]: XmlContent | readonly XmlContent[] | undefined };

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** The document's root, if it has this name; undefined where the text is no well-formed document of that name. */
export function parseXml(text: string, root: string): XmlTree | undefined {
  try {
    const { name, tree } = readXml(text);
    return name === root ? tree : undefined;
  } catch (error) {
    if (error instanceof SealgateError) return undefined;
    throw error;
  }
}

export const childText = (tree: XmlTree | undefined, name: string): string | undefined =>
  tree?.children.get(name)?.[0]?.text;

export const childrenOf = (tree: XmlTree | undefined, name: string): readonly XmlTree[] =>
  tree?.children.get(name) ?? [];

/** What was read, to be written again. */
export function contentOf({ text, children }: XmlTree): XmlContent {
  if (children.size === 0) return text;
  return Object.fromEntries([...children].map(([name, trees]) => [name, trees.map(contentOf)]));
}

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
  let text = '';
  for (const [name, value] of Object.entries(content)) {
    if (isList(value)) for (const one of value) text += element(name, one);
    else if (value !== undefined) text += element(name, value);
  }
  return text;
}

const isList = (value: XmlContent | readonly XmlContent[] | undefined): value is readonly XmlContent[] =>
  Array.isArray(value);

// Control characters have no form in XML 1.0; S3 writes them as references all the same.
const escapeText = (text: string): string =>
  text.replace(ESCAPED, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return NAMED[character] ?? `&#x${code.toString(16).toUpperCase()};`;
  });

const ESCAPED = /[<>&"\u0000-\u001f\u007f\ufffe\uffff]/gu;

const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
