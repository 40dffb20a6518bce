import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { naiveContext, naiveUploadToken } from '../../../test/support/naive-envelope.ts';
import { join } from '../../../test/support/naive-crypto.ts';
import { MALFORMED, OPEN_FAILED, flip, random } from '../../../test/support/object-fixtures.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { hiddenPartKey, hiddenTokenKey, hiddenUploadPrefix, parseHiddenKey } from './hidden-object.ts';
import { openUploadToken, sealUploadToken, uploadTokenEpoch, type UploadTokenFields } from './upload-token.ts';

const PLACE = { bucket: 'b', key: 'dir/ö' };

function fixture() {
  const raw = random(32);
  const fields: UploadTokenFields = {
    backendUploadId: 'x'.repeat(128),
    objectId: random(16),
    wrap: { type: 'direct', wrapped: random(137) },
    createdMs: 1_764_000_000_000,
    checksum: { algorithm: 'crc64nvme', type: 'FULL_OBJECT' },
    context: { a: 'b' },
  };
  const key = takeKey('ServiceKey', Uint8Array.from(raw));
  return { raw, key, fields, text: sealUploadToken(fields, key, 7, PLACE, random) };
}

describe('upload token', () => {
  test('is what the independent encoder writes, and opens', () => {
    const { raw, key, fields } = fixture();
    const nonce = random(24);
    const text = sealUploadToken(fields, key, 7, PLACE, () => nonce);
    const { objectId, createdMs, backendUploadId, wrap } = fields;
    expect(text).toBe(
      naiveUploadToken({
        key: raw,
        epoch: 7,
        nonce,
        bucket: PLACE.bucket,
        objectKey: PLACE.key,
        objectId,
        createdMs,
        backendUploadId,
        wrap: join(Uint8Array.of(1), wrap.wrapped),
        checksum: Uint8Array.of(3, 0),
        context: naiveContext({ a: 'b' }),
      }),
    );
    expect(uploadTokenEpoch(text)).toBe(7);
    const opened = openUploadToken(text, key, PLACE);
    expect({ ...opened, context: { ...opened.context } }).toEqual(fields);
  });

  test('is under 1 KB as text, and opens without the optional fields', () => {
    const { key, fields, text } = fixture();
    expect(text.length).toBeLessThan(600);
    const { checksum: _c, context: _x, ...least } = fields;
    const opened = openUploadToken(sealUploadToken(least, key, 0, PLACE, random), key, PLACE);
    expect(opened).toMatchObject(least);
    expect(opened.checksum).toBeUndefined();
  });

  test('does not open for another bucket or key, nor where their concatenation is the same, nor under another key', () => {
    const { key, text } = fixture();
    for (const place of [
      { bucket: 'bd', key: 'ir/ö' },
      { bucket: 'c', key: 'dir/ö' },
      { bucket: 'b', key: 'dir' },
    ]) {
      expect(() => openUploadToken(text, key, place)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
    expect(() => openUploadToken(text, takeKey('ServiceKey', random(32)), PLACE)).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });

  test('does not open with any byte changed or cut', () => {
    const { key, text } = fixture();
    const bytes = Uint8Array.from(Buffer.from(text, 'base64url'));
    for (const at of bytes.keys()) {
      for (const forged of [flip(bytes, at), bytes.subarray(0, at)]) {
        const attempt = Buffer.from(forged).toString('base64url');
        expect(() => openUploadToken(attempt, key, PLACE)).toThrow(expect.objectContaining({ name: 'EnvelopeError' }));
      }
    }
  });

  test("a store's own upload id, or any other text, is no token", () => {
    const { key } = fixture();
    const run = fc.property(fc.string({ maxLength: 200 }), (text) => {
      expect(uploadTokenEpoch(text)).toBeUndefined();
      expect(() => openUploadToken(text, key, PLACE)).toThrow(expect.objectContaining(MALFORMED));
    });
    fc.assert(run);
    expect(uploadTokenEpoch('2~cVzWxLyMt5pb9FzYm0nyVTqzY8xqQ1d')).toBeUndefined();
    expect(uploadTokenEpoch('A'.repeat(5000))).toBeUndefined();
  });

  test('refuses to become too long', () => {
    const { key, fields } = fixture();
    const long = [
      { ...fields, backendUploadId: 'x'.repeat(385) },
      { ...fields, context: { a: 'x'.repeat(700) } },
    ];
    for (const input of long)
      expect(() => sealUploadToken(input, key, 1, PLACE, random)).toThrow(
        expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }),
      );
  });
});

describe('hidden object names', () => {
  test('read back, and nothing else reads as one', () => {
    const objectId = random(16);
    expect(parseHiddenKey(hiddenTokenKey(objectId))).toEqual({ objectId, type: 'token' });
    expect(parseHiddenKey(hiddenPartKey(objectId, 42))).toEqual({ objectId, type: 'part', partNumber: 42 });
    const prefix = hiddenUploadPrefix(objectId);
    for (const key of [
      prefix,
      `${prefix}part-1`,
      `${prefix}part-00000`,
      `${prefix}part-10001`,
      `x${prefix}token`,
      `${prefix}token/x`,
    ]) {
      expect(parseHiddenKey(key)).toBeUndefined();
    }
  });
});
