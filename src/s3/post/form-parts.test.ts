import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PulledBytes } from '../bodies/pulled-bytes.ts';
import { readForm } from './form.ts';
import { formBoundary, FormParts } from './form-parts.ts';

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b), bytes.length]) {
    // Each in memory of its own, as a socket gives them.
    if (cut > from) yield Uint8Array.from(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
}

const pulled = (pieces: AsyncIterable<Uint8Array>): PulledBytes =>
  new PulledBytes({
    pour: async (take) => {
      for await (const piece of pieces) await take([piece]);
    },
  });

/** As RFC 7578 has it, written without looking at the reader. */
function encode(fields: readonly (readonly [string, string])[], file: Uint8Array, end = '--\r\n'): Buffer {
  const heads = fields.map(
    ([name, value]) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head =
    '--B\r\nContent-Disposition: form-data; name="file"; filename="C:\\\\dir\\\\f.txt"\r\nContent-Type: x\r\n\r\n';
  return Buffer.concat([Buffer.from(heads.join('') + head), file, Buffer.from(`\r\n--B${end}`)]);
}

async function read(body: Buffer, cuts: readonly number[] = []) {
  const headers = { 'content-type': 'multipart/form-data; boundary=B', 'content-length': String(body.length) };
  const form = await readForm(headers, pulled(inPieces(body, cuts)));
  const { length, bytes } = await form.file();
  const pieces: Uint8Array[] = [];
  await bytes.pour((given) => {
    pieces.push(...given.map((piece) => Uint8Array.from(piece)));
    return undefined;
  });
  return { fields: Object.fromEntries(form.fields), length, file: Buffer.concat(pieces) };
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
const value = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((text) => !text.includes('\r\n--B') && !text.includes('${'));

test('A form is read as it was written, wherever it was cut on its way', async () => {
  const file = fc.uint8Array({ maxLength: 300 }).filter((bytes) => !Buffer.from(bytes).includes('\r\n--B'));
  await fc.assert(
    fc.asyncProperty(value, value, file, cuts, fc.boolean(), async (one, two, bytes, where, lineEnd) => {
      const body = encode(
        [
          ['a', one],
          ['b', two],
        ],
        bytes,
        lineEnd ? '--\r\n' : '--',
      );
      const form = await read(body, where);
      expect(form.fields).toEqual({ a: one, b: two });
      expect(Buffer.compare(form.file, Buffer.from(bytes))).toBe(0);
      expect(form.length).toBe(bytes.length);
    }),
    { numRuns: 150 },
  );
});

test('A large file streams with its length known before, also where its bytes look like a boundary', async () => {
  const file = Buffer.alloc(700_000, '\r\n--A\r\n-');
  await fc.assert(
    fc.asyncProperty(cuts, async (where) => {
      const form = await read(encode([['key', 'k']], file), where);
      expect(form.length).toBe(file.length);
      expect(form.file.equals(file)).toBe(true);
    }),
    { numRuns: 15 },
  );
});

test.each([
  [
    'the form goes on behind it',
    encode([], Buffer.alloc(700_000), '\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--B--\r\n'),
  ],
  [
    'it ends earlier than the length says',
    encode([], Buffer.concat([Buffer.alloc(350_000), Buffer.from('\r\n--B--\r\n'), Buffer.alloc(350_000)])),
  ],
  ['the closing boundary is another', encode([], Buffer.alloc(700_000), 'C--\r\n')],
  ['the form does not end', Buffer.concat([encode([], Buffer.alloc(700_000)).subarray(0, -9), Buffer.alloc(9)])],
])('A large file is refused before its last byte is given away where %s', async (_name, body) => {
  await expect(read(body, [0.25, 0.5, 0.75])).rejects.toMatchObject({ code: 'ERR_S3_MALFORMED_FORM' });
});

test('Small files may have fields behind them, which are not looked at', async () => {
  const body = encode(
    [['key', 'k']],
    Buffer.from('abc'),
    '\r\nContent-Disposition: form-data; name="submit"\r\n\r\ny\r\n--B--\r\n',
  );
  expect(await read(body)).toMatchObject({ fields: { key: 'k' }, length: 3 });
});

test('Variables become the name of the file, without its folders', async () => {
  const form = await read(
    encode(
      [
        ['key', 'a/${filename}'],
        ['policy', '${filename}'],
      ],
      Buffer.from('x'),
    ),
  );
  expect(form.fields).toEqual({ key: 'a/f.txt', policy: '${filename}' });
});

test.each([
  ['filename="a; name=key.txt"; name="file"', 'file', 'a; name=key.txt'],
  ['NAME = "file"', undefined, undefined],
  ['Name=file ; FileName=a b.txt;', 'file', 'a b.txt'],
  [String.raw`name="fi\"le"; filename="C:\dir\f%22.txt"`, 'fi"le', String.raw`C:\dir\f".txt`],
  ['name="file"; filename="f"; filename*=UTF-8\'\'g', 'file', 'f'],
  ['name="file"; name="key"', undefined, undefined],
  ['name="file" filename="f"', undefined, undefined],
  ['filename="name=file"', undefined, undefined],
  ['name="file', undefined, undefined],
])('Of a part with %s the field is %s, its file %s', async (parameters, name, filename) => {
  const head = Buffer.from(`--B\r\nContent-Disposition: form-data; ${parameters}\r\n\r\nx\r\n--B--\r\n`);
  const read = new FormParts(pulled(inPieces(head, [])), 'B', 1000).next();
  if (name === undefined) await expect(read).rejects.toMatchObject({ code: 'ERR_S3_MALFORMED_FORM' });
  else expect(await read).toEqual({ name, filename });
});

test('Whatever comes ends in a form or one of our errors, and reads no more than it may', async () => {
  const words = fc.constantFrom(
    '--B',
    '\r\n',
    '--',
    'Content-Disposition: form-data; name="file"',
    '; filename="',
    '"',
    '\0',
    'x',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(words, fc.string()), { maxLength: 30 }), cuts, async (pieces, where) => {
      const outcome = await read(Buffer.from(pieces.join('')), where).catch(codeOf);
      if (typeof outcome === 'string') expect(outcome).toMatch(/^ERR_S3_/u);
      else expect(outcome).toHaveProperty('length');
    }),
    { numRuns: 400 },
  );
  await expect(read(encode([['a', 'x'.repeat(40_000)]], Buffer.from('x')))).rejects.toMatchObject({
    code: 'ERR_S3_FORM_TOO_LONG',
  });
  const endless = new FormParts(pulled(inPieces(Buffer.alloc(200_000, 'x'), [0.1, 0.2, 0.5])), 'B', 32_768);
  await expect(endless.next()).rejects.toMatchObject({ code: 'ERR_S3_FORM_TOO_LONG' });
});

test('The boundary may be quoted, and stand anywhere in the type', () => {
  expect(formBoundary('multipart/form-data; boundary=x')).toBe('x');
  expect(formBoundary('Multipart/Form-Data; charset=utf-8; boundary="a b"')).toBe('a b');
  expect(formBoundary('multipart/form-data')).toBeUndefined();
  expect(formBoundary('text/plain; boundary=x')).toBeUndefined();
});
