/** Frozen vectors: data written by any released version opens for ever, and sealing with the same randomness gives the same bytes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unhex } from '../../test/support/naive-crypto.ts';
import { labelled, makeVectors, multipartBytes, partLastBytes, sha256Hex } from '../../test/support/make-vectors.ts';
import { concatBytes } from '../crypto/bytes.ts';
import { takeKey } from '../crypto/key-types.ts';
import { BodyOpener } from './object/body-opener.ts';
import { customerDek, isCustomerDek } from './object/customer-key.ts';
import { matchesParts, openFooter } from './object/footer.ts';
import { decodeEnvelope, verifyEnvelope } from './object/object-envelope.ts';
import { ObjectOpener } from './object/object-opener.ts';
import { openMetadata } from './object/sealed-metadata.ts';
import { openUploadToken } from './object/upload-token.ts';
import { openFormat, type PreservedFormat } from './format-preserving.ts';
import { openValue } from './sealed-value.ts';
import { unwrapKey } from './wrapped-key.ts';

type Row = Readonly<Record<string, string>>;
type ObjectVectors = {
  readonly keys: Row;
  readonly bodies: readonly (Row & { readonly partNumber: number })[];
  readonly multipart: readonly Row[];
  readonly envelopes: readonly (Row & { readonly headers: Row; readonly metadata: Row })[];
  readonly uploadTokens: readonly (Row & { readonly place: { readonly bucket: string; readonly key: string } })[];
};

// The files are our own; what they hold is compared below.
const read = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../test/vectors', name), 'utf8')) as T;
const hexOf = (row: Row, name: string) => unhex(row[name] ?? '');
const dekOf = (row: Row) => takeKey('Dek', hexOf(row, 'dek'));
const plain = (bytes: Uint8Array) => Uint8Array.from(bytes);

describe('frozen vectors', () => {
  test.each(Object.entries(makeVectors()))('sealing anew gives the bytes of %s', (name, made) => {
    expect(JSON.parse(JSON.stringify(made))).toEqual(read<unknown>(name));
  });

  test('format-preserving values open', () => {
    const rows =
      read<readonly (PreservedFormat & Row & { readonly text: string; readonly sealed: string })[]>(
        'format-preserving-v1.json',
      );
    for (const row of rows)
      expect(openFormat({ dek: dekOf(row), aad: hexOf(row, 'aad'), format: row, text: row.sealed })).toBe(row.text);
    expect(rows).toHaveLength(5);
  });

  test('wrapped keys open', () => {
    for (const v of read<readonly (Row & { readonly context: Row })[]>('wrapped-key-v1.json')) {
      const input = {
        kek: takeKey('Kek', hexOf(v, 'kek')),
        materialId: hexOf(v, 'materialId'),
        blob: hexOf(v, 'blob'),
        context: v.context,
      };
      expect(plain(unwrapKey(input))).toEqual(hexOf(v, 'plaintext'));
    }
  });

  test('sealed values open', () => {
    for (const v of read<readonly Row[]>('sealed-value-v1.json')) {
      expect(plain(openValue({ dek: dekOf(v), aad: hexOf(v, 'aad'), sealed: hexOf(v, 'sealed') }))).toEqual(
        hexOf(v, 'plaintext'),
      );
    }
  });

  const { keys, bodies, multipart, envelopes, uploadTokens } = read<ObjectVectors>('sealed-object-v1.json');
  const [dek, objectId] = [dekOf(keys), hexOf(keys, 'objectId')];

  test('bodies open', () => {
    for (const v of bodies.filter((row) => row['stored'] !== undefined)) {
      const opener = new BodyOpener({ dek, objectId, expect: { partNumber: v.partNumber } });
      expect(sha256Hex(concatBytes(...opener.push(hexOf(v, 'stored'))))).toBe(v['plaintextSha256']);
      expect(opener.finish().clientChecksum).toBe('crc64nvme');
    }
  });

  test('multipart objects open', () => {
    for (const v of multipart) {
      const stored = concatBytes(...multipartBytes(v['name'] === 'footer part' ? 'footer part' : 'short last part'));
      expect(sha256Hex(stored)).toBe(v['storedSha256']);
      const footer = openFooter(hexOf(v, 'footerBlock'), dek, objectId);
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
      const envelope = decodeEnvelope(v['text'] ?? '');
      expect(verifyEnvelope(envelope, dek, v.headers)).toEqual(v.headers);
      expect(envelope.wraps[0]).toEqual({ type: 'direct', wrapped: hexOf(v, 'wrapped') });
      if (envelope.sealedMetadata === undefined) continue;
      expect({ ...openMetadata(envelope.sealedMetadata, dek, objectId) }).toEqual(v.metadata);
    }
  });

  test('objects with a customer key open, and not without it', () => {
    const v = read<Row & { headers: Row; metadata: Row; place: { bucket: string; key: string } }>(
      'sealed-object-v2.json',
    );
    const id = hexOf(v, 'objectId');
    const half = takeKey('Dek', hexOf(v, 'gatewayHalf'));
    const envelope = decodeEnvelope(v['envelope'] ?? '');
    expect(verifyEnvelope(envelope, half, v.headers)).toEqual(v.headers);
    const whole = customerDek(half, takeKey('CustomerKey', hexOf(v, 'customerKey')), id);
    expect(isCustomerDek(whole, id, envelope.customerCheck ?? new Uint8Array())).toBe(true);
    expect({ ...openMetadata(envelope.sealedMetadata ?? new Uint8Array(), whole, id) }).toEqual(v.metadata);
    const opener = new BodyOpener({ dek: whole, objectId: id });
    expect(concatBytes(...opener.push(hexOf(v, 'stored')))).toEqual(hexOf(v, 'plaintext'));
    opener.finish();
    const other = customerDek(half, takeKey('CustomerKey', new Uint8Array(32)), id);
    expect(isCustomerDek(other, id, envelope.customerCheck ?? new Uint8Array())).toBe(false);
    expect(() => new BodyOpener({ dek: half, objectId: id }).push(hexOf(v, 'stored'))).toThrow();
    const token = openUploadToken(v['uploadToken'] ?? '', takeKey('ServiceKey', hexOf(v, 'serviceKey')), v.place);
    expect(token).toMatchObject({ keyHint: 'aws:kms bucket-key', customerCheck: envelope.customerCheck });
  });

  test('lists of very many parts open, with groups and as they were before', () => {
    const v = read<{ keys: Row; footers: readonly { count: number; footerBlock: string }[] }>(
      'sealed-object-many-parts-v1.json',
    );
    const opened = v.footers.map(({ count, footerBlock }) => {
      const footer = openFooter(unhex(footerBlock), dekOf(v.keys), hexOf(v.keys, 'objectId'));
      const parts = Array.from({ length: count }, (_, i) => ({
        partNumber: i + 1,
        plainLength: 5_242_880 + ((i * 7919) % 65_521) * 97,
      }));
      expect(matchesParts(footer, parts)).toBe(true);
      expect(footer.partNumbers).toEqual(parts.map(({ partNumber }) => partNumber));
      return [footer.groups?.size, footer.groups?.lengths.length, footer.parts?.length];
    });
    expect(opened).toEqual([
      [undefined, undefined, undefined],
      [1, 1249, 1250],
      [8, 1249, undefined],
    ]);
  });

  test('a part 10000 of any length opens, and ends in the list', () => {
    type Body = Row & { readonly plainLength: number; readonly held?: boolean };
    const v = read<{ keys: Row; bodies: readonly Body[] }>('sealed-object-part-10000-v1.json');
    const object = { dek: dekOf(v.keys), objectId: hexOf(v.keys, 'objectId') };
    for (const row of v.bodies) {
      const stored = partLastBytes(row['name'] ?? '', row.plainLength, row.held === true);
      expect(sha256Hex(stored)).toBe(row['storedSha256']);
      const layout = row.held === true ? 'held' : 'part';
      const opener = new BodyOpener({
        ...object,
        expect: { layout, partNumber: 10_000, plainLength: row.plainLength },
      });
      expect(sha256Hex(concatBytes(...opener.push(stored)))).toBe(row['plaintextSha256']);
      expect(opener.finish().clientChecksum).toBe('crc64nvme');
      if (row['footerBlock'] === undefined) continue;
      expect(stored.subarray(-6656)).toEqual(hexOf(row, 'footerBlock'));
      const footer = openFooter(hexOf(row, 'footerBlock'), object.dek, object.objectId);
      expect(footer.parts?.at(-1)).toEqual({ partNumber: 10_000, plainLength: row.plainLength });
    }
    expect(v.bodies).toHaveLength(5);
  });

  test('bodies and lists with checksums that S3 took in later open', () => {
    const v = read<{ keys: Row; rows: readonly Row[] }>('sealed-object-later-checksums-v1.json');
    const place = { dek: dekOf(v.keys), objectId: hexOf(v.keys, 'objectId') };
    for (const row of v.rows) {
      const [algorithm, value] = [row['algorithm'] ?? '', hexOf(row, 'value')];
      const opener = new BodyOpener(place);
      expect(concatBytes(...opener.push(hexOf(row, 'stored')))).toEqual(labelled('later', 100));
      const digests = { sha256: labelled('sha256', 32), [algorithm]: value };
      expect(opener.finish()).toEqual({ digests, clientChecksum: algorithm });
      const { checksum, parts } = openFooter(hexOf(row, 'footerBlock'), place.dek, place.objectId);
      expect({ checksum, parts }).toEqual({
        checksum: { algorithm, type: 'COMPOSITE', value },
        parts: [{ partNumber: 1, plainLength: 300 }],
      });
    }
    expect(v.rows.map((row) => row['algorithm'])).toEqual(['sha512', 'xxhash64', 'xxhash3', 'xxhash128']);
  });

  test('upload tokens open', () => {
    for (const v of uploadTokens) {
      const fields = openUploadToken(v['text'] ?? '', takeKey('ServiceKey', hexOf(keys, 'serviceKey')), v.place);
      expect(fields).toMatchObject({
        backendUploadId: v['backendUploadId'],
        createdMs: v['createdMs'],
        wrap: { type: 'direct', wrapped: hexOf(v, 'wrap') },
      });
    }
  });
});
