import { describe, expect, test } from 'vitest';
import { be, join } from '../../../test/support/naive-crypto.ts';
import { naiveCustomerEnvelope, naiveUploadToken } from '../../../test/support/naive-envelope.ts';
import { MALFORMED, OPEN_FAILED, random } from '../../../test/support/object-fixtures.ts';
import { takeKey } from '../../crypto/key-types.ts';
import { bindHeaders } from './bound-headers.ts';
import { customerCheck, customerDek, isCustomerDek } from './customer-key.ts';
import { decodeEnvelope, encodeEnvelope, verifyEnvelope } from './object-envelope.ts';
import { openUploadToken, sealUploadToken } from './upload-token.ts';

function fixture() {
  const raw = { gateway: random(32), customer: random(32) };
  const [gateway, customer, objectId] = [raw.gateway.slice(), raw.customer.slice(), random(16)];
  const half = takeKey('Dek', gateway);
  const dek = customerDek(half, takeKey('CustomerKey', customer), objectId);
  const check = customerCheck(dek, objectId);
  const wrapped = random(137);
  const fields = { layout: 'single', objectId, wraps: [{ type: 'direct', wrapped }], boundHeaders: {} } as const;
  return { raw, half, dek, objectId, check, wrapped, fields };
}

describe('a DEK of which the customer has half', () => {
  test('is what the independent encoder makes of the halves, and so is its envelope', () => {
    const { raw, half, dek, objectId, check, wrapped, fields } = fixture();
    const { mask, digest } = bindHeaders({});
    const naive = naiveCustomerEnvelope(raw, 1, objectId, [
      [1, join(Uint8Array.of(1), wrapped)],
      [4, join(be(mask, 1), digest)],
    ]);
    expect(new Uint8Array(dek.export())).toEqual(naive.dek);
    expect(encodeEnvelope({ ...fields, customerCheck: check }, half)).toBe(naive.text);
  });

  test('is another with any other half, or object', () => {
    const { raw, half, dek, objectId, check } = fixture();
    const other = (): ReturnType<typeof takeKey<'CustomerKey'>> => takeKey('CustomerKey', random(32));
    expect(isCustomerDek(dek, objectId, check)).toBe(true);
    expect(isCustomerDek(customerDek(half, other(), objectId), objectId, check)).toBe(false);
    const customer = takeKey('CustomerKey', raw.customer.slice());
    expect(isCustomerDek(customerDek(takeKey('Dek', random(32)), customer, objectId), objectId, check)).toBe(false);
    expect(isCustomerDek(dek, random(16), check)).toBe(false);
  });

  test('an envelope is proven by what is wrapped, and neither format passes for the other', () => {
    const { half, dek, check, fields } = fixture();
    const text = encodeEnvelope({ ...fields, customerCheck: check }, half);
    expect(verifyEnvelope(decodeEnvelope(text), half, {})).toEqual({});
    expect(() => verifyEnvelope(decodeEnvelope(text), dek, {})).toThrow(expect.objectContaining(OPEN_FAILED));
    const bytes = Buffer.from(text.slice(4), 'base64url');
    bytes[2] = 1;
    expect(() => decodeEnvelope(`sg1.${bytes.toString('base64url')}`)).toThrow(expect.objectContaining(MALFORMED));
    const plain = Buffer.from(encodeEnvelope(fields, half).slice(4), 'base64url');
    plain[2] = 2;
    expect(() => decodeEnvelope(`sg1.${plain.toString('base64url')}`)).toThrow(expect.objectContaining(MALFORMED));
    // Without its check it is an envelope of no format: the MAC of format 1 is under another key.
    const stripped = decodeEnvelope(text);
    expect(() => verifyEnvelope({ ...stripped, customerCheck: undefined }, half, {})).toThrow(
      expect.objectContaining(OPEN_FAILED),
    );
  });

  test('an upload token carries check and what is shown, in version 2 alone', () => {
    const { check, objectId, wrapped } = fixture();
    const raw = random(32);
    const place = { bucket: 'bucket', key: 'a' };
    const fields = { backendUploadId: 'u', objectId, wrap: { type: 'direct', wrapped }, createdMs: 5 } as const;
    const nonce = random(24);
    const more = { keyHint: 'AES256', customerCheck: check };
    const text = sealUploadToken({ ...fields, ...more }, takeKey('ServiceKey', raw.slice()), 7, place, () => nonce);
    const none = new Uint8Array(0);
    expect(text).toBe(
      naiveUploadToken({
        ...{
          key: raw,
          epoch: 7,
          nonce,
          bucket: 'bucket',
          objectKey: 'a',
          objectId,
          createdMs: 5,
          backendUploadId: 'u',
        },
        ...{ wrap: join(Uint8Array.of(1), wrapped), checksum: none, context: none },
        more: [Buffer.from('AES256'), join(Uint8Array.of(1), check)],
      }),
    );
    expect(openUploadToken(text, takeKey('ServiceKey', raw.slice()), place)).toMatchObject(more);
    const old = sealUploadToken(fields, takeKey('ServiceKey', raw.slice()), 7, place, random);
    expect(Buffer.from(old, 'base64url')[2]).toBe(1);
    expect(openUploadToken(old, takeKey('ServiceKey', raw.slice()), place).customerCheck).toBeUndefined();
  });
});
