import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { takeKey, type Dek } from '../../crypto/key-types.ts';
import { objectKey } from './subkeys.ts';

const newDek = (): Dek => takeKey('Dek', Uint8Array.from(randomBytes(32)));
const expected = (dek: Dek, objectId: Uint8Array, label: string): Buffer =>
  Buffer.from(hkdfSha256(dek, objectId, `sealgate object v1 ${label}`, 32));

test("an object's key is the derived one, whichever was asked for before, and however often", () => {
  const [dek, other] = [newDek(), newDek()];
  const [id, another] = [Uint8Array.from(randomBytes(16)), Uint8Array.from(randomBytes(16))];
  for (const key of [dek, other, dek])
    for (const objectId of [id, another, id])
      for (const purpose of ['envelope', 'header', 'stream', 'metadata', 'header'] as const)
        expect(
          objectKey(key, objectId, purpose)
            .export()
            .equals(expected(key, objectId, purpose)),
        ).toBe(true);
});

test('an object id that changes under the caller is another object', () => {
  const dek = newDek();
  const objectId = Uint8Array.from(randomBytes(16));
  objectKey(dek, objectId, 'header');
  objectId[0] = (objectId[0] ?? 0) ^ 1;
  expect(
    objectKey(dek, objectId, 'header')
      .export()
      .equals(expected(dek, objectId, 'header')),
  ).toBe(true);
});
