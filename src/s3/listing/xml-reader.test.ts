import { XMLParser, XMLValidator } from 'fast-xml-parser';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readXml, type XmlTree } from './xml-reader.ts';

/** As plain data, for comparing: a text, or children by name. Blanks beside children are indentation. */
type Plain = string | { readonly [name: string]: readonly Plain[] };

function plain({ text, children }: XmlTree): Plain {
  if (children.size === 0) return text;
  return Object.fromEntries([...children].map(([name, trees]) => [name, trees.map(plain)]));
}

const read = (document: string): unknown => {
  try {
    const { name, tree } = readXml(document);
    return { [name]: [plain(tree)] };
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_S3_MALFORMED_XML' });
    return undefined;
  }
};

/** The same by a library that was made for it, which takes more for well-formed than we do. */
function readByLibrary(document: string): unknown {
  if (XMLValidator.validate(document) !== true) return undefined;
  const parser = new XMLParser({
    ...{ ignoreAttributes: true, parseTagValue: false, trimValues: false, ignoreDeclaration: true, ignorePiTags: true },
    ...{ removeNSPrefix: true, processEntities: true, htmlEntities: true },
  });
  return asPlain(parser.parse(document));
}

function asPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).filter(([name]) => name !== '#text');
  return Object.fromEntries(entries.map(([name, child]) => [name, [child].flat().map(asPlain)]));
}

const WORDS = [
  '<a>',
  '</a>',
  '<b>',
  '</b>',
  '<a/>',
  '<b c="d">',
  '<n:a>',
  '</n:a>',
  'text',
  ' ',
  '\n',
  '&amp;',
  '&#65;',
];
const MARKS = [
  '&#x1F4BE;',
  '<!-- <a> -->',
  '<?p i?>',
  '<![CDATA[<a>&amp;]]>',
  "<a b='>'>",
  '&',
  '<',
  '>',
  '"',
  '-->',
  '</',
];

test('what is read is what a library reads', () => {
  let accepted = 0;
  const inside = fc.array(fc.constantFrom(...WORDS, ...MARKS), { maxLength: 9 });
  fc.assert(
    fc.property(inside, (words) => {
      const document = `<R>${words.join('')}</R>`;
      const ours = read(document);
      if (ours === undefined) return;
      accepted += 1;
      expect(ours).toEqual(readByLibrary(document));
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(50);
});

test('any bytes are read or refused', () => {
  const pieces = fc.oneof(
    fc.constantFrom(...WORDS, ...MARKS, '<R', '</R>', '<!DOCTYPE R>', ']]>', '\ufeff'),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (words) => {
      read(words.join(''));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['what is not closed', '<R><a></R>'],
  ['what is closed by a name that only begins alike', '<R><a></ab></R>'],
  ['what is closed twice', '<R></R></R>'],
  ['an attribute without quotes', '<R a=b/>'],
  ['an attribute with a tag in it', '<R a="<b>"/>'],
  ['text beside the root', '<R/>text'],
  ['a second root', '<R/><R/>'],
  ['a reference to what is not there', '<R>&nbsp;</R>'],
  ['a bare ampersand', '<R>a & b</R>'],
  ['half a surrogate pair', '<R>&#xD800;</R>'],
  ['a character beyond the last', '<R>&#x110000;</R>'],
  ['a DTD', '<!DOCTYPE R [<!ENTITY a "b">]><R/>'],
  ['an entity of its own', '<R><!ENTITY a "b"></R>'],
  ['a comment without end', '<R><!-- </R>'],
  ['a comment with two hyphens in it', '<R><!-- a --!> <b/> --></R>'],
  ['a comment with three at its end', '<R><!-- a ---></R>'],
  ['an instruction without a name', '<R><??></R>'],
  ['a blank that is none of XML', '<R a="b"\u2028/>'],
  ['such a blank beside the root', '\u00a0<R/>'],
  ['CDATA without end', '<R><![CDATA[</R>'],
  ['CDATA outside of the root', '<![CDATA[a]]><R/>'],
  ['elements too deep', `${'<a>'.repeat(33)}${'</a>'.repeat(33)}`],
])('%s is no document', (_name, document) => {
  expect(read(document)).toBeUndefined();
});

test('lines end in a line feed, and a carriage return is written as a reference', () => {
  expect(read('<R><a>1\r\n2\r3&#13;4</a></R>')).toEqual({ R: [{ a: ['1\n2\n3\r4'] }] });
});

test('a byte order mark, a declaration, comments and line ends stand before the root', () => {
  expect(read('\ufeff<?xml version="1.0"?>\n<!-- a -->\n<R a = "b" >c</R>\n')).toEqual({ R: ['c'] });
});

test.each([' a="b"', ' a=""', " a='&<'"])('%j again and again is too much, and no error of ours', (attribute) => {
  expect(read(`<R${attribute.repeat(1_500_000)}/>`)).toBeUndefined();
});

test('long attributes and names are read', () => {
  const long = 'a'.repeat(4_000_000);
  expect(read(`<R ${long}="${long}">b</R>`)).toEqual({ R: ['b'] });
});

// Squared it would be hours, and the test would time out.
test.each([' ', ' a', ' a=', ' a="', 'a', '&amp'])('%j again and again costs no more than its length', (piece) => {
  expect(read(`<R${piece.repeat(1_000_000)}`)).toBeUndefined();
  expect(read(`<R>${piece.repeat(1_000_000)}<`)).toBeUndefined();
});
