/**
 * Values between two processes of ours, over a pipe that nobody else can open: whole, in order, those of one turn in one write.
 *
 * Threat: data keys pass here. What was written is zeroed once the pipe has it, and of what was read the receiver zeroes the keys: byte
 * arrays of a received value lie where the pipe's bytes do.
 */
import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

/** Of each value its length comes first. */
const LENGTH_BYTES = 4;
/** Set in the length of what is a list of numbers, of 32 bits each: what is said most often is said so, for a fraction of what else it takes. */
const IS_NUMBERS = 0x8000_0000;
const NUMBER_BYTES = 4;
/** The largest that `sendNumbers` takes. */
export const MAX_CHANNEL_NUMBER = 0xffff_ffff;
/** A hundred times the largest there is; beyond it the other end is not one of ours. */
const MAX_VALUE_BYTES = 64 * 1024 * 1024;

export type ChannelEnds = {
  /** A value came. Bytes in it are the receiver's; as they lie in all that was read with them, what it keeps of them is a copy. */
  readonly received: (value: unknown) => void;
  /** What came at once has been received, value by value. */
  readonly receivedAll?: () => void;
  /** The other end is gone, or broke the form. Called once, and nothing after it. */
  readonly ended: () => void;
};

export class Channel {
  readonly #pipe: Duplex;
  readonly #ends: ChannelEnds;
  #waiting: Buffer[] = [];
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** How many bytes have to be there before it is looked again. */
  #wanted = LENGTH_BYTES;
  #isOpen = true;

  constructor(pipe: Duplex, ends: ChannelEnds) {
    this.#pipe = pipe;
    this.#ends = ends;
    pipe.on('data', (chunk: Buffer) => this.#take(chunk));
    for (const event of ['end', 'close', 'error'] as const) pipe.on(event, () => this.close());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Plain data and byte arrays. Lost where the channel has ended: `ended` says so. */
  send(value: unknown): void {
    if (!this.#isOpen) return;
    const bytes = serialize(value);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    this.#put(length, bytes);
  }

  /** Whole numbers from 0 to 2^32 - 1, which come as an array of them. As `send`. */
  sendNumbers(numbers: readonly number[]): void {
    if (!this.#isOpen) return;
    const bytes = Buffer.allocUnsafe(LENGTH_BYTES + numbers.length * NUMBER_BYTES);
    bytes.writeUInt32BE(IS_NUMBERS + numbers.length * NUMBER_BYTES);
    // Refuses what is no such number.
    for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, LENGTH_BYTES + index * NUMBER_BYTES);
    this.#put(bytes);
  }

  #put(...parts: readonly Buffer[]): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push(...parts);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#isOpen = false;
    wipe(this.#held);
    this.#pipe.end();
    this.#ends.ended();
  }

  #flush(): void {
    const parts = this.#waiting;
    this.#waiting = [];
    if (parts.length === 0 || !this.#isOpen) return wipe(parts);
    const whole = Buffer.concat(parts);
    wipe(parts);
    this.#pipe.write(whole, () => whole.fill(0));
  }

  #take(chunk: Buffer): void {
    if (!this.#isOpen) return;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    // Joined when a value is whole, not with every piece of it.
    if (this.#heldBytes < this.#wanted) return;
    const bytes = this.#joined();
    let at = 0;
    this.#wanted = LENGTH_BYTES;
    while (this.#isOpen && bytes.length - at >= this.#wanted) {
      const head = bytes.readUInt32BE(at);
      const isNumbers = head >= IS_NUMBERS;
      const length = isNumbers ? head - IS_NUMBERS : head;
      if (length > MAX_VALUE_BYTES) return this.close();
      this.#wanted = LENGTH_BYTES + length;
      if (bytes.length - at < this.#wanted) break;
      const value = bytes.subarray(at + LENGTH_BYTES, at + this.#wanted);
      at += this.#wanted;
      this.#wanted = LENGTH_BYTES;
      this.#ends.received(isNumbers ? numbersOf(value) : deserialize(value));
    }
    this.#held = at < bytes.length ? [bytes.subarray(at)] : [];
    this.#heldBytes = bytes.length - at;
    if (this.#isOpen) this.#ends.receivedAll?.();
  }

  #joined(): Buffer {
    const [only, ...more] = this.#held;
    if (only !== undefined && more.length === 0) return only;
    const whole = Buffer.concat(this.#held, this.#heldBytes);
    wipe(this.#held);
    return whole;
  }
}

function numbersOf(bytes: Buffer): readonly number[] {
  const numbers: number[] = [];
  for (let at = 0; at + NUMBER_BYTES <= bytes.length; at += NUMBER_BYTES) numbers.push(bytes.readUInt32BE(at));
  return numbers;
}

function wipe(parts: readonly Uint8Array[]): void {
  for (const part of parts) part.fill(0);
}
