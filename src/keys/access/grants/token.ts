/**
 * Grant tokens: opaque, and no secret (they name a grant, and let nobody use it but its grantee). A MAC keeps made-up ones out:
 * `format 1 | grant id 32 | random 16 | MAC 16`, in base64. Nothing is stored, and every token of a grant is as good as another.
 */
import type { KeyObject } from 'node:crypto';
import { equalBytes } from '../../../crypto/bytes.ts';
import { hmacSha256 } from '../../../crypto/hmac.ts';
import { encodeFields } from '../../fields.ts';

const FORMAT = 1;
const RANDOM_BYTES = 16;
const MAC_BYTES = 16;
const GRANT_ID_BYTES = 32;
const TOKEN_BYTES = 1 + GRANT_ID_BYTES + RANDOM_BYTES + MAC_BYTES;
const TOKEN = /^[A-Za-z0-9+/]{87}=$/;

export function makeGrantToken(grantId: string, key: KeyObject, random: (bytes: number) => Uint8Array): string {
  const covered = Buffer.concat([Buffer.of(FORMAT), Buffer.from(grantId, 'hex'), random(RANDOM_BYTES)]);
  return Buffer.concat([covered, tokenMac(covered, key)]).toString('base64');
}

/** The grant's id; undefined for what is no token of ours. */
export function readGrantToken(token: string, key: KeyObject): string | undefined {
  if (!TOKEN.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const covered = bytes.subarray(0, TOKEN_BYTES - MAC_BYTES);
  const genuine = bytes[0] === FORMAT && equalBytes(bytes.subarray(covered.length), tokenMac(covered, key));
  return genuine ? covered.toString('hex', 1, 1 + GRANT_ID_BYTES) : undefined;
}

function tokenMac(covered: Uint8Array, key: KeyObject): Uint8Array {
  return hmacSha256(key, encodeFields('sealgate grant token v1', [covered])).subarray(0, MAC_BYTES);
}
