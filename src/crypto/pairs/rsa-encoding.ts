/**
 * The two encodings of RSA signatures for a digest that somebody else made (RFC 8017): node:crypto signs whole messages alone. Of
 * messages it does the encoding itself.
 */
import { createHash, randomBytes } from 'node:crypto';
import { concatBytes, equalBytes } from '../bytes.ts';

export type SignatureHash = 'sha256' | 'sha384' | 'sha512';

export const DIGEST_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const satisfies Record<SignatureHash, number>;

/** DigestInfo up to the digest itself (RFC 8017, 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<SignatureHash, Uint8Array>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

/** EMSA-PKCS1-v1_5 of a digest (9.2): `bytes` is the length of the modulus. */
export function encodePkcs1(hash: SignatureHash, digest: Uint8Array, bytes: number): Uint8Array {
  const info = concatBytes(DIGEST_INFO[hash], digest);
  const padding = new Uint8Array(bytes - info.length - 3).fill(0xff);
  return concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), info);
}

const EIGHT_ZEROS = new Uint8Array(8);
const TRAILER = 0xbc;

/** EMSA-PSS of a digest (9.1.1), MGF1 with the same hash, salt as long as the digest; the modulus has 8 `bytes` bits, all used. */
export function encodePss(
  hash: SignatureHash,
  digest: Uint8Array,
  bytes: number,
  salt: Uint8Array = randomBytes(DIGEST_BYTES[hash]),
): Uint8Array {
  const h = createHash(hash).update(EIGHT_ZEROS).update(digest).update(salt).digest();
  const db = new Uint8Array(bytes - h.length - 1);
  db[db.length - salt.length - 1] = 1;
  db.set(salt, db.length - salt.length);
  return concatBytes(masked(hash, h, db), h, Uint8Array.of(TRAILER));
}

/** Whether this is an encoding of the digest (9.1.2), with a salt as long as it. */
export function isPssOf(hash: SignatureHash, digest: Uint8Array, encoded: Uint8Array): boolean {
  const hLength = DIGEST_BYTES[hash];
  const hAt = encoded.length - hLength - 1;
  const h = encoded.subarray(hAt, -1);
  const db = masked(hash, h, encoded.subarray(0, hAt));
  const salt = db.subarray(db.length - hLength);
  // One encoding for each salt, so comparing it whole leaves no byte unchecked; the top bit of what was given must be clear too.
  return digest.length === hLength && equalBytes(encodePss(hash, digest, encoded.length, salt), encoded);
}

/** XOR with MGF1 (B.2.1); the topmost bit, which the modulus has no room for, is cleared. */
function masked(hash: SignatureHash, seed: Uint8Array, data: Uint8Array): Uint8Array {
  const result = Uint8Array.from(data);
  const counter = Buffer.alloc(4);
  for (let at = 0, count = 0; at < data.length; count += 1) {
    counter.writeUInt32BE(count);
    for (const byte of createHash(hash).update(seed).update(counter).digest()) {
      if (at >= data.length) break;
      result[at] = (result[at] ?? 0) ^ byte;
      at += 1;
    }
  }
  result[0] = (result[0] ?? 0) & 0x7f;
  return result;
}
