import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childText, childrenOf, formatXml, parseXml } from './xml-tree.ts';

const parse = (bytes: Uint8Array, root: string) => parseXml(Buffer.from(bytes).toString(), root);

test('any text survives writing and reading', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (texts) => {
      const tree = parse(formatXml('Root', { Row: texts.map((Key) => ({ Key })) }), 'Root');
      expect(childrenOf(tree, 'Row').map((row) => childText(row, 'Key'))).toEqual(texts);
    }),
  );
});

test('numbers, spaces and leading zeros stay as they are written', () => {
  const tree = parseXml('<R><A> 007 </A><A>1e5</A><A/><A>true</A></R>', 'R');
  expect(childrenOf(tree, 'A').map((a) => a.text)).toEqual([' 007 ', '1e5', '', 'true']);
});

test.each(['<R>', '<Other/>', '', 'R', '<!DOCTYPE r [<!ENTITY a "b">]><R>&a;</R>', '<R/><R/>'])(
  '%s is no document R',
  (text) => expect(parseXml(text, 'R')).toBeUndefined(),
);

test('namespaces and attributes are passed over, and indentation is no text of its own', () => {
  const tree = parseXml('<?xml version="1.0"?>\n<s:R xmlns:s="x">\n  <s:A b="c">d</s:A>\n</s:R>', 'R');
  expect(childText(tree, 'A')).toBe('d');
});

test('in CDATA nothing stands for something else', () => {
  const tree = parseXml('<R><A><![CDATA[a&amp;b]]></A><A>a&amp;b</A></R>', 'R');
  expect(childrenOf(tree, 'A').map((a) => a.text)).toEqual(['a&amp;b', 'a&b']);
  expect(parseXml('<R><A>a&amp;<![CDATA[&amp;]]></A></R>', 'R')).toBeUndefined();
});

test.each([
  ['deeper than any of S3', `<R>${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}</R>`],
  ['with names of objects in JavaScript', '<R><__proto__><x>1</x></__proto__></R>'],
  ['of more elements than S3 has in one', `<R>${'<a/>'.repeat(200_000)}</R>`],
])('a document %s is none, and no error of ours', (_name, text) => {
  expect(parseXml(text, 'R')).toBeUndefined();
});

test('the largest documents of S3 are read: 10 000 parts with checksums', () => {
  const part = '<Part><PartNumber>1</PartNumber><ETag>"e"</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part>';
  expect(childrenOf(parseXml(`<R>${part.repeat(10_000)}</R>`, 'R'), 'Part').length).toBe(10_000);
});
