/**
 * The key that a client brings along (SSE-C): an object's DEK is then made of two halves, the gateway's, which a KMS key wraps as any
 * DEK, and the customer's, which nobody keeps. Neither opens anything without the other.
 *
 *   DEK = HKDF(gateway's half 32 | customer's key 32, salt = object id, info = "sealgate object v2 dek")
 *
 * Threat: who has the store and the KMS keys still lacks the customer's key; who learns the customer's key still needs what the KMS
 * key's policy asks for. The check tells a wrong key before anything is read, and commits the envelope to both halves; since it
 * depends on the gateway's half, the store alone cannot try customers' keys against it.
 */
import { equalBytes } from '../../crypto/bytes.ts';
import { hkdfSha256 } from '../../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type CustomerKey, type Dek } from '../../crypto/key-types.ts';
import { objectKey } from './subkeys.ts';

export const CUSTOMER_CHECK_BYTES = 32;

const LABEL = 'sealgate object v2 dek';

/** The object's DEK, of its two halves. */
export function customerDek(half: Dek, customer: CustomerKey, objectId: Uint8Array): Dek {
  const both = new Uint8Array(2 * KEY_BYTES);
  try {
    copyKey(half, both, 0);
    copyKey(customer, both, KEY_BYTES);
    return takeKey('Dek', hkdfSha256(both, objectId, LABEL, KEY_BYTES));
  } finally {
    both.fill(0);
  }
}

function copyKey(key: Dek | CustomerKey, target: Uint8Array, at: number): void {
  const bytes = key.export();
  target.set(bytes, at);
  bytes.fill(0);
}

/** 32 bytes for the envelope: a subkey that is used for nothing else. */
export function customerCheck(dek: Dek, objectId: Uint8Array): Uint8Array {
  return new Uint8Array(objectKey(dek, objectId, 'customerCheck').export());
}

/** Whether the DEK, and so the customer's key, is the object's. */
export function isCustomerDek(dek: Dek, objectId: Uint8Array, check: Uint8Array): boolean {
  return equalBytes(customerCheck(dek, objectId), check);
}
