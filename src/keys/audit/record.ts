/**
 * One record of the audit log: a JSON line, chained to the one before by its hash and authenticated by a MAC under a key
 * derived from the root. `mac` is always the last member and covers every byte before it (docs/KEYSTORE.md, "Audit log").
 */
import { hash, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { equalBytes } from '../../crypto/bytes.ts';
import { hmacSha256 } from '../../crypto/hmac.ts';
import { keptHmacText } from '../../crypto/kept-hmac.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';

/** What happened; never a key, a plaintext or a credential. */
export type AuditEntry = {
  /** ISO 8601. */
  readonly time: string;
  readonly principal: string;
  /** In AWS KMS's words: `Decrypt`, `GenerateDataKey`, `DisableKey`, ... */
  readonly action: string;
  /** ARN; null where no key is concerned or none was found. */
  readonly key: string | null;
  /** Material id, 64 hex digits. */
  readonly material: string | null;
  readonly via: string;
  readonly resource: string;
  readonly context: EncryptionContext | null;
  readonly decision: 'allow' | 'deny';
  readonly why: string;
  /** `success`, `started` (a change about to be made), an error code, or `failure` for what none describes. */
  readonly result: string;
  /** The id of the request, as its answer names it. */
  readonly request?: string;
  readonly detail?: Readonly<Record<string, string | number>>;
};

/** A record of a use that comes again and again: what it says after its time, as `sayingOf` gives it, is the same each time. */
export type RepeatedEntry = { readonly time: string; readonly saying: Uint8Array };

/** Where a chain ends: the last record's number, the hash of its line, and the byte after its line end, counted over all files of the log. */
export type AuditHead = { readonly seq: number; readonly hash: Uint8Array; readonly offset: number };

export const HASH_BYTES = 32;
export const EMPTY_HEAD: AuditHead = { seq: 0, hash: new Uint8Array(HASH_BYTES), offset: 0 };

/** Marks a place where records are missing that an operator has accepted. */
export const GAP_ACTION = 'AuditGap';
/** Begins each file of the log but the first; `detail.offset` is the place in the log of the file's first byte. */
export const CONTINUED_ACTION = 'AuditContinued';

const MAC_OPEN = ',"mac":"';
const MAC_CLOSE = '"}';
/** 32 bytes in base64url without padding. */
const MAC_CHARS = 43;
/** Of a repeated entry's line, what is neither its time, its saying nor its MAC: a number of at most 16 digits, names, a hash in hex. */
const REPEATED_BYTES = '{"seq":,"time":"",,"prevHash":""'.length + 16 + 2 * HASH_BYTES;
const SUFFIX_BYTES = MAC_OPEN.length + MAC_CHARS + MAC_CLOSE.length;

/** What the line takes at most, its MAC included, of a record whose covered part is `json`: UTF-8 has up to three bytes for each code unit. */
export const lineRoom = (json: string): number => 3 * json.length + SUFFIX_BYTES;

/** What a record says: all of its line but the MAC. `members` of its entry, as `RecordFrames` gives them; `prevHash` in hex. */
export function recordJson(members: string, seq: number, prevHash: string): string {
  return `{"seq":${seq},${members},"prevHash":"${prevHash}"`;
}

/** Writes the line of `json`, without its line end, into `target`, which has room for it; where it ends. */
export function writeRecord(json: string, key: KeyObject, target: Buffer, at: number): number {
  return close(at + target.write(json, at, 'utf8'), key, target, at);
}

/** The members of a record after its time, as bytes of its line. */
export function sayingOf({ time: _time, ...said }: AuditEntry): Uint8Array {
  return Buffer.from(JSON.stringify(said).slice(1, -1));
}

/** What the line of a repeated entry takes at most. */
export const repeatedRoom = ({ time, saying }: RepeatedEntry): number =>
  saying.length + time.length + REPEATED_BYTES + SUFFIX_BYTES;

/** As `writeRecord` does for the entry that says the same. `prevHash` in hex. */
export function writeRepeated(
  { time, saying }: RepeatedEntry,
  { seq, prevHash }: { readonly seq: number; readonly prevHash: string },
  key: KeyObject,
  target: Buffer,
  at: number,
): number {
  const said = at + target.write(`{"seq":${seq},"time":"${time}",`, at, 'latin1');
  target.set(saying, said);
  const end = said + saying.length;
  return close(end + target.write(`,"prevHash":"${prevHash}"`, end, 'latin1'), key, target, at);
}

/** Ends the line of which `target` holds all up to `end` but the MAC. */
function close(end: number, key: KeyObject, target: Buffer, at: number): number {
  const mac = keptHmacText(key, target.subarray(at, end), 'base64url');
  return end + target.write(`${MAC_OPEN}${mac}${MAC_CLOSE}`, end, SUFFIX_BYTES, 'latin1');
}

export function lineHash(line: Uint8Array): Uint8Array {
  return hash('sha256', line, 'buffer');
}

/** The same in hex, as the next record names it. */
export function lineHashText(line: Uint8Array): string {
  return hash('sha256', line, 'hex');
}

/** The head after `line` was appended to a chain that ended at `head`. */
export function advance(
  head: AuditHead,
  seq: number,
  line: Uint8Array,
  end: number = head.offset + line.length + 1,
): AuditHead {
  return { seq, hash: lineHash(line), offset: end };
}

const CHAIN_MEMBERS = z.looseObject({
  seq: z.number().int().positive(),
  action: z.string(),
  prevHash: z.string().regex(/^[0-9a-f]{64}$/),
  detail: z.record(z.string(), z.unknown()).optional(),
  time: z.string().optional(),
  material: z.string().nullable().optional(),
  result: z.string().optional(),
});
/** What a record says about the chain, and about what a material did. */
export type ChainRecord = {
  readonly seq: number;
  readonly action: string;
  readonly prevHash: Uint8Array;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly time: string;
  readonly material: string | null;
  readonly result: string;
};

/** What a line says about the chain, if its MAC holds; undefined for anything else. */
export function openRecord(line: Uint8Array, key: KeyObject): ChainRecord | undefined {
  const view = Buffer.from(line.buffer, line.byteOffset, line.length);
  const at = view.length - SUFFIX_BYTES;
  if (at < 1) return undefined;
  const suffix = view.toString('latin1', at);
  if (!suffix.startsWith(MAC_OPEN) || !suffix.endsWith(MAC_CLOSE)) return undefined;
  const mac = Buffer.from(suffix.slice(MAC_OPEN.length, -MAC_CLOSE.length), 'base64url');
  const covered = view.subarray(0, at);
  if (!equalBytes(mac, hmacSha256(key, covered))) return undefined;
  return chainRecord(`${covered.toString('utf8')}}`);
}

/** What a line says, whoever wrote it; undefined where it is no record. */
export function readRecord(line: Uint8Array): ChainRecord | undefined {
  try {
    return chainRecord(Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8'));
  } catch {
    return undefined;
  }
}

function chainRecord(json: string): ChainRecord | undefined {
  const members = CHAIN_MEMBERS.safeParse(JSON.parse(json));
  if (!members.success) return undefined;
  const { seq, action, prevHash, detail = {}, time = '', material = null, result = '' } = members.data;
  return { seq, action, prevHash: Buffer.from(prevHash, 'hex'), detail, time, material, result };
}
