/**
 * Remembers how far the audit log reaches on the disk, so that removing its end is found: two places of 512 bytes, written in
 * turn (a torn write leaves the other), each `magic "SGAH" 4 | version 1 | reserved 3 | store id 16 | seq 8 | offset 8 |
 * hash 32 | mac 32`. It is moved only after the log is synced, so a crash never makes it claim more than the log has.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync } from 'node:fs';
import { equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import { uint64 } from '../fields.ts';
import { writeAll } from '../stores/durable-file.ts';
import type { AuditIdentity } from './identity.ts';
import type { AuditHead } from './record.ts';

const MAGIC = Buffer.from('SGAH\x01\0\0\0', 'latin1');
const PLACE_BYTES = 512;
const BODY_BYTES = 8 + 16 + 8 + 8 + 32;

export function headPath(logPath: string): string {
  return `${logPath}.head`;
}

/** The later of the two places that are genuine; undefined where none is. */
export function readHeadFile(logPath: string, identity: AuditIdentity): AuditHead | undefined {
  let file: Uint8Array;
  try {
    file = readFileSync(headPath(logPath));
  } catch {
    // No head file: the store's own memory of the head still stands.
    return undefined;
  }
  const heads = [0, PLACE_BYTES].map((at) => parsePlace(file.subarray(at, at + PLACE_BYTES), identity));
  return heads.reduce(laterHead, undefined);
}

export function laterHead(a: AuditHead | undefined, b: AuditHead | undefined): AuditHead | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return b.seq > a.seq ? b : a;
}

function parsePlace(place: Uint8Array, identity: AuditIdentity): AuditHead | undefined {
  const body = Buffer.from(place.subarray(0, BODY_BYTES));
  if (!equalBytes(hmacSha256(identity.key, body), place.subarray(BODY_BYTES, BODY_BYTES + 32))) return undefined;
  if (!body.subarray(0, 8).equals(MAGIC) || !body.subarray(8, 24).equals(identity.storeId)) return undefined;
  return {
    seq: Number(body.readBigUInt64BE(24)),
    offset: Number(body.readBigUInt64BE(32)),
    hash: body.subarray(40, 72),
  };
}

export class HeadFile {
  readonly #file: number;
  readonly #identity: AuditIdentity;
  #turn = 0;

  constructor(logPath: string, identity: AuditIdentity) {
    const path = headPath(logPath);
    // Neither truncated nor exclusive: what it remembers must survive opening.
    this.#file = openSync(path, 'a', 0o600);
    closeSync(this.#file);
    this.#file = openSync(path, 'r+');
    this.#identity = identity;
  }

  write(head: AuditHead): void {
    const body = Buffer.concat([MAGIC, this.#identity.storeId, uint64(head.seq), uint64(head.offset), head.hash]);
    writeAll(this.#file, Buffer.concat([body, hmacSha256(this.#identity.key, body)]), this.#turn * PLACE_BYTES);
    this.#turn = 1 - this.#turn;
  }

  close(): void {
    fdatasyncSync(this.#file);
    closeSync(this.#file);
  }
}
