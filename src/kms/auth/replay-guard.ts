/**
 * Refuses a signed request that comes again. A signature dates itself to the second, so two equal calls of one client in one
 * second carry the same signature, and some clients do that (two GenerateDataKey at once): AWS takes them, and so do we, for as
 * long as they can still be on their way. Whoever finds a request later, in a log or a capture, can do nothing with it.
 *
 * Memory is bounded: a signature is remembered while its time is acceptable, and where there are too many, the oldest seconds are
 * forgotten and what was signed in them is refused. What a process before this one has answered is refused altogether.
 */
import type { RecentRequests } from '../../keys/audit/recent-requests.ts';
import { MAX_SEEN_SIGNATURES, MAX_SKEW_MS, REPEAT_GRACE_SECONDS } from '../limits.ts';
import { signatureNumber, signatureOfRequest } from './request-id.ts';

const WINDOW_SECONDS = MAX_SKEW_MS / 1000;

export class ReplayGuard {
  readonly #seconds = new Map<number, SecondOfSignatures>();
  readonly #max: number;
  #count = 0;
  /** What was signed before this second is no longer remembered, so no longer taken. */
  #floor = 0;
  #purgedAt = 0;

  /** By a process before this one: of requests whose time may still be acceptable. */
  #answered: ReadonlySet<number>;

  /** `before`: what the audit log tells of the time before. */
  constructor(max: number = MAX_SEEN_SIGNATURES, before?: RecentRequests) {
    this.#max = max;
    const numbers = before?.ids.map(signatureOfRequest).filter((number) => number !== undefined);
    this.#answered = new Set(numbers);
    const { completeSinceMs } = before ?? {};
    if (completeSinceMs !== undefined) this.#floor = Math.floor(completeSinceMs / 1000) + 1;
  }

  /** Whether a request with this proven signature (hex), signed at `signedMs`, may be answered now. */
  admit(signature: string, signedMs: number, nowMs: number): boolean {
    const second = Math.floor(signedMs / 1000);
    const now = Math.floor(nowMs / 1000);
    this.#purge(now);
    if (second < this.#floor || this.#answered.has(signatureNumber(signature))) return false;
    const bucket = this.#seconds.get(second) ?? new SecondOfSignatures();
    this.#seconds.set(second, bucket);
    const firstSeen = bucket.firstSeen(signature, now - (second - WINDOW_SECONDS));
    if (firstSeen !== undefined) return now - (second - WINDOW_SECONDS) - firstSeen <= REPEAT_GRACE_SECONDS;
    this.#count += 1;
    if (this.#count > this.#max) this.#forgetOldest();
    return true;
  }

  /** Signatures remembered. */
  get size(): number {
    return this.#count;
  }

  #purge(now: number): void {
    if (now === this.#purgedAt) return;
    this.#purgedAt = now;
    for (const second of this.#seconds.keys()) if (second < now - WINDOW_SECONDS) this.#forget(second);
  }

  #forgetOldest(): void {
    const oldest = Math.min(...this.#seconds.keys());
    this.#forget(oldest);
    this.#floor = Math.max(this.#floor, oldest + 1);
  }

  #forget(second: number): void {
    this.#count -= this.#seconds.get(second)?.count ?? 0;
    this.#seconds.delete(second);
  }
}

const FIRST_SLOTS = 16;

/** Signatures of one second: a hash table of numbers, 10 bytes a slot, at most half full. */
class SecondOfSignatures {
  #names = new Float64Array(FIRST_SLOTS);
  /** Seconds after the beginning of the window in which the second is acceptable. */
  #seen = new Uint16Array(FIRST_SLOTS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** When it was first seen, or undefined where this is the first time. */
  firstSeen(signature: string, at: number): number | undefined {
    // Of an HMAC; zero marks an empty slot.
    const name = signatureNumber(signature);
    const slot = this.#slotOf(name);
    if (this.#names[slot] === name) return this.#seen[slot];
    this.#names[slot] = name;
    this.#seen[slot] = at;
    this.#count += 1;
    if (this.#count * 2 > this.#names.length) this.#grow();
    return undefined;
  }

  #slotOf(name: number): number {
    const last = this.#names.length - 1;
    let slot = name % this.#names.length;
    while (this.#names[slot] !== 0 && this.#names[slot] !== name) slot = slot === last ? 0 : slot + 1;
    return slot;
  }

  #grow(): void {
    const [names, seen] = [this.#names, this.#seen];
    this.#names = new Float64Array(names.length * 2);
    this.#seen = new Uint16Array(names.length * 2);
    for (const [from, name] of names.entries()) {
      if (name === 0) continue;
      const to = this.#slotOf(name);
      this.#names[to] = name;
      this.#seen[to] = seen[from] ?? 0;
    }
  }
}
