import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ascii, be, join, sha256 } from '../../../test/support/naive-crypto.ts';
import { naiveContext, naiveEnvelope } from '../../../test/support/naive-envelope.ts';
import { MALFORMED, OPEN_FAILED, flip, newObject, random } from '../../../test/support/object-fixtures.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { wrapKey } from '../wrapped-key.ts';
import { unwrapUnderIntermediate, wrapUnderIntermediate, type KeyWrap } from './key-wrap.ts';
import {
  decodeEnvelope,
  encodeEnvelope,
  envelopeRoom,
  verifyEnvelope,
  type EnvelopeFields,
} from './object-envelope.ts';
import { openMetadata, sealMetadata } from './sealed-metadata.ts';

const HEADERS = {
  'content-type': 'text/plain',
  'x-amz-meta-colour': 'red',
  etag: '"x"',
  'x-amz-meta-sealgate': 'ours',
};

function fixture(change: Partial<EnvelopeFields> = {}) {
  const { dek, objectId } = newObject();
  const kek = takeKey('Kek', random(32));
  const wrapped = wrapKey(
    { kek, keyUuid: random(16), materialId: random(32), plaintext: random(32), context: {} },
    random,
  );
  const fields: EnvelopeFields = {
    layout: 'multipart',
    objectId,
    wraps: [{ type: 'direct', wrapped }],
    boundHeaders: HEADERS,
    keyHint: 'arn:aws:kms:eu-central-1:123456789012:key/7f1c0d62-3f4e-4f5a-9d5e-0123456789ab',
    ...change,
  };
  return { dek, objectId, fields, text: encodeEnvelope(fields, dek) };
}

const verify = (
  text: string,
  dek: ReturnType<typeof newObject>['dek'],
  headers: Readonly<Record<string, string>> = HEADERS,
) => verifyEnvelope(decodeEnvelope(text), dek, headers);

describe('object envelope', () => {
  test('is what the independent encoder writes, with every field', () => {
    const [raw, objectId, blob, id, metadata] = [random(32), random(16), random(137), random(16), random(60)];
    const fields: EnvelopeFields = {
      layout: 'single',
      objectId,
      boundHeaders: HEADERS,
      keyHint: 'alias/k',
      plainSize: 2 ** 40 + 1,
      wraps: [
        { type: 'direct', wrapped: blob },
        { type: 'inline', intermediateId: id, wrappedIntermediate: blob, wrapped: random(9) },
        { type: 'byId', intermediateId: id, wrapped: blob },
      ],
      checksum: { algorithm: 'sha256', type: 'COMPOSITE' },
      context: { tenant: 'a' },
      sealedMetadata: metadata,
    };
    const dek = takeKey('Dek', Uint8Array.from(raw));
    const text = encodeEnvelope(fields, dek);
    const inline = fields.wraps[1]?.wrapped ?? new Uint8Array(0);
    const bound = sha256(naiveContext({ 'content-type': 'text/plain', 'x-amz-meta-colour': 'red' }));
    expect(text).toBe(
      naiveEnvelope(raw, 1, objectId, [
        [1, join(Uint8Array.of(1), blob)],
        [1, join(Uint8Array.of(2), id, be(blob.length, 2), blob, inline)],
        [1, join(Uint8Array.of(3), id, blob)],
        [2, ascii('alias/k')],
        [3, be(2 ** 40 + 1, 8)],
        [4, join(Uint8Array.of(1), bound)],
        [5, Uint8Array.of(6, 1)],
        [6, naiveContext({ tenant: 'a' })],
        [7, metadata],
      ]),
    );
    const { boundHeaders: _, ...said } = fields;
    expect(decodeEnvelope(text)).toMatchObject({ ...said, context: { tenant: 'a' } });
    expect(verify(text, dek)).toEqual({ 'content-type': 'text/plain', 'x-amz-meta-colour': 'red' });
  });

  test('is small: within 500 characters with one wrap and an ARN', () => {
    expect(fixture().text.length).toBeLessThan(500);
  });

  test('does not verify with any character changed, cut, or under another key', () => {
    const { dek, text } = fixture();
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      expect(() => verify(changed, dek), `character ${at}`).toThrow(expect.objectContaining({ name: 'EnvelopeError' }));
      expect(() => verify(text.slice(0, at), dek)).toThrow(expect.objectContaining({ name: 'EnvelopeError' }));
    }
    expect(() => verify(text, newObject().dek)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('does not verify with a header that matters changed, added or taken away', () => {
    const { dek, text } = fixture();
    const { 'content-type': _, ...without } = HEADERS;
    const forged = [
      { ...HEADERS, 'content-type': 'text/html' },
      { ...HEADERS, 'x-amz-meta-colour': 'blue' },
      { ...HEADERS, 'x-amz-meta-extra': '' },
      without,
    ];
    for (const headers of forged)
      expect(() => verify(text, dek, headers)).toThrow(expect.objectContaining(OPEN_FAILED));
  });

  test('does not vouch for what the store adds by itself', () => {
    const { dek, text } = fixture();
    const vouched = verify(text, dek, { ...HEADERS, 'cache-control': 'public', 'last-modified': 'x' });
    expect(Object.keys(vouched).sort()).toEqual(['content-type', 'x-amz-meta-colour']);
  });

  test('reading is total, and refuses second forms of the same envelope', () => {
    const { text, dek } = fixture();
    const run = fc.property(fc.string(), fc.uint8Array(), (garbage, bytes) => {
      for (const attempt of [garbage, `sg1.${garbage}`, `sg1.${Buffer.from(bytes).toString('base64url')}`]) {
        expect(() => decodeEnvelope(attempt)).toThrow(expect.objectContaining(MALFORMED));
      }
    });
    fc.assert(run, { numRuns: 200 });
    for (const attempt of [
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      text.replace('sg1', 'sg2'),
      `sg1.${'A'.repeat(4000)}`,
    ]) {
      expect(() => verify(attempt, dek)).toThrow(expect.objectContaining(MALFORMED));
    }
  });

  test('refuses fields out of order, doubled, unknown or missing, also under a right MAC', () => {
    const raw = random(32);
    const dek = takeKey('Dek', Uint8Array.from(raw));
    const [wrap, bound, hint] = [
      [1, Uint8Array.of(1, 9)],
      [4, new Uint8Array(33)],
      [2, ascii('k')],
    ] as const;
    const bad = [
      [bound],
      [wrap],
      [bound, wrap],
      [wrap, hint, hint, bound],
      [wrap, bound, [8, ascii('x')]],
      [wrap, bound, [3, ascii('x')]],
      [wrap, [4, ascii('x')]],
      // A mask that names a header of a later version: what it binds could not be checked here.
      [wrap, [4, Uint8Array.of(0x80, ...new Uint8Array(32))]],
      [[1, Uint8Array.of(1)], bound],
      [[1, Uint8Array.of(4, 1)], bound],
      [wrap, wrap, wrap, wrap, wrap, bound],
      [wrap, bound, [5, Uint8Array.of(0, 0)]],
      [wrap, bound, [5, Uint8Array.of(1, 2)]],
    ] as const;
    for (const fields of bad)
      expect(() => verify(naiveEnvelope(raw, 1, random(16), fields), dek)).toThrow(expect.objectContaining(MALFORMED));
    expect(() => verify(naiveEnvelope(raw, 3, random(16), [wrap, bound]), dek)).toThrow(
      expect.objectContaining(MALFORMED),
    );
  });

  test('refuses to grow beyond its share of the metadata', () => {
    expect(() => fixture({ sealedMetadata: random(2000) })).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }),
    );
    expect(fixture({ sealedMetadata: random(900) }).text.length).toBeLessThanOrEqual(envelopeRoom());
    // A store that takes more gets more, up to what readers take.
    const { fields, dek } = fixture();
    const large = encodeEnvelope({ ...fields, sealedMetadata: random(3000) }, dek, envelopeRoom(8192));
    expect(decodeEnvelope(large).sealedMetadata?.length).toBe(3000);
    expect(() => encodeEnvelope({ ...fields, sealedMetadata: random(5000) }, dek, envelopeRoom(65_536))).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_TOO_LARGE' }),
    );
  });
});

describe('intermediate keys', () => {
  test('wrap a DEK that opens under the same intermediate key and context alone', () => {
    const [intermediate, intermediateId, raw] = [takeKey('Kek', random(32)), random(16), random(32)];
    const context = { bucket: 'b' };
    const blob = wrapUnderIntermediate({ intermediate, intermediateId, plaintext: raw, context }, random);
    const wrap: KeyWrap = { type: 'byId', intermediateId, wrapped: blob };
    const envelope = decodeEnvelope(fixture({ wraps: [wrap] }).text);
    expect(envelope.wraps).toEqual([wrap]);
    const open = (change: object) =>
      unwrapUnderIntermediate({ intermediate, intermediateId, blob, context, ...change });
    expect(open({}).equals(takeKey('Dek', raw))).toBe(true);
    for (const change of [
      { context: {} },
      { intermediateId: random(16) },
      { intermediate: takeKey('Kek', random(32)) },
      { blob: flip(blob, 100) },
    ]) {
      expect(() => open(change)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });
});

describe('sealed metadata', () => {
  test('opens under the same object alone', () => {
    const { dek, objectId } = newObject();
    const pairs = { 'x-amz-meta-name': 'Ada', ['x-amz-meta-\u00e9']: '\u{1f600}' };
    const sealed = sealMetadata(pairs, dek, objectId, random);
    expect({ ...openMetadata(sealed, dek, objectId) }).toEqual(pairs);
    expect(() => openMetadata(sealed, dek, random(16))).toThrow(expect.objectContaining(OPEN_FAILED));
    for (const at of sealed.keys()) {
      expect(() => openMetadata(flip(sealed, at), dek, objectId)).toThrow(expect.objectContaining(OPEN_FAILED));
      expect(() => openMetadata(sealed.subarray(0, at), dek, objectId)).toThrow(expect.objectContaining(OPEN_FAILED));
    }
  });
});
