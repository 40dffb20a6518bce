/**
 * Reads startup and authentication, where messages come one by one: promises over a socket, with bounded buffering.
 *
 * Whoever takes the socket over afterwards gets the bytes not yet read from `release`.
 */
import type { Socket } from 'node:net';
import { protocolError } from './protocol-error.ts';
import { uint32At } from './reader.ts';

export type Frame = { readonly type: number; readonly bytes: Uint8Array; readonly body: Uint8Array };

const HEADER_BYTES = 5;
/** More than any message of this phase: beyond it the socket is paused. */
const MAX_BUFFERED_BYTES = 256 * 1024;

const NOTHING = Buffer.alloc(0);

const frameOf = (bytes: Uint8Array): Frame => ({ type: bytes[0] ?? 0, bytes, body: bytes.subarray(HEADER_BYTES) });

export class SocketReader {
  readonly #socket: Socket;
  readonly #closed: (cause?: unknown) => Error;
  #buffered: Buffer = NOTHING;
  #ended: Error | undefined;
  #wake: (() => void) | undefined;

  /** `closed`: the error that reads end with once the other side is gone. */
  constructor(socket: Socket, closed: (cause?: unknown) => Error) {
    this.#socket = socket;
    this.#closed = closed;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
    socket.on('error', this.#onError);
    socket.resume();
  }

  /** Bytes that have arrived and were not taken. */
  get bufferedBytes(): number {
    return this.#buffered.length;
  }

  /** The next `length` bytes, left in place. Rejects when the connection ends before. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#buffered.length < length) {
      if (this.#ended !== undefined) throw this.#ended;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#buffered.subarray(0, length);
  }

  async take(length: number): Promise<Uint8Array> {
    const bytes = await this.peek(length);
    this.#buffered = this.#buffered.subarray(length);
    if (this.#ended === undefined && this.#buffered.length < MAX_BUFFERED_BYTES) this.#socket.resume();
    return bytes;
  }

  /** The next whole message of at most `limitBytes`. */
  async frame(limitBytes: number): Promise<Frame> {
    return frameOf(await this.take(await this.#frameBytes(limitBytes)));
  }

  /** The same, left in place. */
  async peekFrame(limitBytes: number): Promise<Frame> {
    return frameOf(await this.peek(await this.#frameBytes(limitBytes)));
  }

  async #frameBytes(limitBytes: number): Promise<number> {
    const header = await this.peek(HEADER_BYTES);
    const length = uint32At(header, 1);
    if (length < 4 || length > limitBytes)
      throw protocolError('invalid message length before authentication is complete');
    return 1 + length;
  }

  /** Lets go of the socket, paused; returns what was read too much. */
  release(): Uint8Array {
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
    this.#socket.off('error', this.#onError);
    // An 'error' event without listener ends the process; the next owner listens in the same tick.
    const rest = this.#buffered;
    // Whoever listened during startup may hold this reader as long as the connection lasts: not what was read in it too.
    this.#buffered = NOTHING;
    return rest;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    if (this.#buffered.length >= MAX_BUFFERED_BYTES) this.#socket.pause();
    this.#signal();
  };

  readonly #onEnd = (): void => {
    this.#ended ??= this.#closed();
    this.#signal();
  };

  readonly #onError = (error: Error): void => {
    this.#ended ??= this.#closed(error);
    this.#signal();
  };

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
