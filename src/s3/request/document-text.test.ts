import { expect, test } from 'vitest';
import { documentText } from './document-text.ts';

test.each([
  '<R/>',
  '\ufeff<?xml version="1.0"?><R/>',
  '<?xml version="1.0" encoding="UTF-8"?>\n<R/>',
  "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n<R/>",
  "\n<?xml version='1.0' encoding='us-ascii'?><R/>",
  '<?xml-stylesheet encoding="x"?><R>\u00e9\u{1f4be}</R>',
  '',
])('%j is read as it is', (text) => {
  expect(documentText(Buffer.from(text))).toBe(text);
});

test.each([
  ['another encoding', Buffer.from('<?xml version="1.0" encoding="ISO-2022-JP"?><R/>')],
  ['two encodings', Buffer.from('<?xml version="1.0" encoding="utf-8" encoding="utf-7"?><R/>')],
  ['another encoding behind a line end', Buffer.from('\n<?xml version="1.0" encoding="IBM037"?><R/>')],
  ['a declaration without end', Buffer.from('<?xml version="1.0" encoding="utf-8"')],
  ['UTF-16', Buffer.from('\ufeff<R/>', 'utf16le')],
  ['Latin-1', Buffer.from('<R>caf\u00e9</R>', 'latin1')],
  ['a longer form than UTF-8 has', Buffer.from([0x3c, 0x52, 0x3e, 0xc0, 0xbc])],
])('%s is no document', (_name, bytes) => {
  expect(() => documentText(bytes)).toThrow(expect.objectContaining({ code: 'ERR_S3_MALFORMED_XML' }));
});

// Squared it would be hours.
test('blanks without end cost no more than their length', () => {
  const blanks = ' '.repeat(4_000_000);
  expect(() => documentText(Buffer.from(`${blanks}<?xml${blanks}version${blanks}=${blanks}`))).toThrow();
});
