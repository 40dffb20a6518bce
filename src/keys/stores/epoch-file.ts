/**
 * The epoch counter, kept outside the store: `magic "SGEP" 4 | version 1 | reserved 3 | store id 16 | epoch 8 | mac 32`. Each
 * change of the store raises it, after the change is durable and before it is acknowledged, so an older copy of the store is
 * told from the newest. It only helps as far as whoever exchanges the store cannot exchange this file too.
 */
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import { uint64 } from '../fields.ts';
import { writeFileDurably } from './durable-file.ts';

const MAGIC = Buffer.from('SGEP\x01\0\0\0', 'latin1');
const BODY_BYTES = 32;
const FILE_BYTES = BODY_BYTES + 32;

/** The raw file, before the root is known; undefined where there is none. */
export function readEpochFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    // Unreadable is treated as missing: both refuse the store.
    return undefined;
  }
}

/** The epoch a file holds; undefined when it is malformed, forged or of another store. */
export function parseEpochFile(bytes: Uint8Array, storeId: Uint8Array, key: KeyObject): number | undefined {
  if (bytes.length !== FILE_BYTES) return undefined;
  const body = bytes.subarray(0, BODY_BYTES);
  if (!equalBytes(hmacSha256(key, body), bytes.subarray(BODY_BYTES))) return undefined;
  const view = Buffer.from(body.buffer, body.byteOffset, body.length);
  if (!view.subarray(0, 8).equals(MAGIC) || !view.subarray(8, 24).equals(storeId)) return undefined;
  return Number(view.readBigUInt64BE(24));
}

export function writeEpochFile(path: string, epoch: number, storeId: Uint8Array, key: KeyObject): void {
  const body = Buffer.concat([MAGIC, storeId, uint64(epoch)]);
  writeFileDurably(path, Buffer.concat([body, hmacSha256(key, body)]));
}
