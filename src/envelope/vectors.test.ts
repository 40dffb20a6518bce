/** Frozen vectors: data written by any released version opens for ever, and sealing with the same randomness gives the same bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unhex } from '../../test/support/naive-crypto.ts';
import { labelled, makeVectors, multipartBytes, sha256Hex } from '../../test/support/make-vectors.ts';
import { concatBytes } from '../crypto/bytes.ts';
import { takeKey } from '../crypto/key-types.ts';
import { BodyOpener } from './object/body-opener.ts';
import { openFooter } from './object/footer.ts';
import { decodeEnvelope, verifyEnvelope } from './object/object-envelope.ts';
import { ObjectOpener } from './object/object-opener.ts';
import { openMetadata } from './object/sealed-metadata.ts';
import { openUploadToken } from './object/upload-token.ts';
import { openValue } from './sealed-value.ts';
import { unwrapKey } from './wrapped-key.ts';

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../../test/vectors', name), 'utf8'));
const dekOf = (text: string) => takeKey('Dek', unhex(text));
const plain = (bytes: Uint8Array) => Uint8Array.from(bytes);

describe('frozen vectors', () => {
  test.each(Object.entries(makeVectors()))('sealing anew gives the bytes of %s', (name, made) => {
    expect(JSON.parse(JSON.stringify(made))).toEqual(read(name));
  });

  test('wrapped keys open', () => {
    for (const v of read('wrapped-key-v1.json')) {
      const input = {
        kek: takeKey('Kek', unhex(v.kek)),
        materialId: unhex(v.materialId),
        blob: unhex(v.blob),
        context: v.context,
      };
      expect(plain(unwrapKey(input))).toEqual(unhex(v.plaintext));
    }
  });

  test('sealed values open', () => {
    for (const v of read('sealed-value-v1.json')) {
      expect(plain(openValue({ dek: dekOf(v.dek), aad: unhex(v.aad), sealed: unhex(v.sealed) }))).toEqual(
        unhex(v.plaintext),
      );
    }
  });

  const { keys, bodies, multipart, envelopes, uploadTokens } = read('sealed-object-v1.json');
  const [dek, objectId] = [dekOf(keys.dek), unhex(keys.objectId)];

  test('bodies open', () => {
    for (const v of bodies.filter((row: { stored?: string }) => row.stored !== undefined)) {
      const opener = new BodyOpener({ dek, objectId, expect: { partNumber: v.partNumber } });
      expect(sha256Hex(concatBytes(...opener.push(unhex(v.stored))))).toBe(v.plaintextSha256);
      expect(opener.finish().clientChecksum).toBe('crc64nvme');
    }
  });

  test('multipart objects open', () => {
    for (const v of multipart) {
      const stored = concatBytes(...multipartBytes(v.name));
      expect(sha256Hex(stored)).toBe(v.storedSha256);
      const footer = openFooter(unhex(v.footerBlock), dek, objectId);
      expect(footer.checksum?.value).toEqual(labelled('object checksum', 8));
      const opener = new ObjectOpener({ dek, objectId, layout: 'multipart', footer });
      const expected = concatBytes(
        ...[
          [1, 70_000],
          [2, 70_000],
          [7, 1000],
        ].map(([n, length]) => labelled(`part ${n}`, length ?? 0)),
      );
      expect(Buffer.compare(concatBytes(...opener.push(stored)), expected)).toBe(0);
      expect(opener.finish().plainSize).toBe(141_000);
    }
  });

  test('envelopes verify', () => {
    for (const v of envelopes) {
      const envelope = decodeEnvelope(v.text);
      expect(verifyEnvelope(envelope, dek, v.headers)).toEqual(v.headers);
      expect(envelope.wraps[0]).toEqual({ type: 'direct', wrapped: unhex(v.wrapped) });
      if (envelope.sealedMetadata === undefined) continue;
      expect({ ...openMetadata(envelope.sealedMetadata, dek, objectId) }).toEqual(v.metadata);
    }
  });

  test('upload tokens open', () => {
    for (const v of uploadTokens) {
      const fields = openUploadToken(v.text, takeKey('ServiceKey', unhex(keys.serviceKey)), v.place);
      expect(fields).toMatchObject({
        backendUploadId: v.backendUploadId,
        createdMs: v.createdMs,
        wrap: { type: 'direct', wrapped: unhex(v.wrap) },
      });
    }
  });
});
