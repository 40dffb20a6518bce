/**
 * Where the bytes of a session come in: a socket that is read into one buffer over and over.
 *
 * By itself Node allocates 64 KiB for each read and cuts them down to what came: with messages of a hundred bytes that, and the streams between
 * it and a listener, are a quarter of what relaying costs. Invariant: while bytes that were handed over are in use, what they lie in is not
 * read into.
 */
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';

/** Of each connection and direction at first: most of thousands that wait never get more at a time. */
const FIRST_BUFFER_BYTES = 1024;
/** Where that was filled: what the server sends at a time (PQ_SEND_BUFFER_SIZE, libpq/pqcomm.c). */
const BUFFER_BYTES = 8 * 1024;
/** And where that was: as Node reads. */
const LARGE_BUFFER_BYTES = 64 * 1024;

export interface Taker {
  /** Bytes in order, the taker's own until it returns, and then as long as `keeps`. */
  take(bytes: Uint8Array): void;
  /** Whether bytes taken before are still in use, or any taken now would be. */
  keeps(): boolean;
}

const NOBODY: Taker = { take: () => undefined, keeps: () => false };

export class Intake {
  /** The connection from now on: the socket given, or another in its place. */
  readonly socket: Socket;
  readonly #intoBuffer: boolean;
  #taker = NOBODY;
  #buffer: Buffer;

  /** Takes a connected socket over. Nothing more is read before `start`. */
  constructor(socket: Socket) {
    const handle = releasedHandle(socket);
    this.#intoBuffer = handle !== undefined;
    this.#buffer = Buffer.allocUnsafeSlow(handle === undefined ? 0 : FIRST_BUFFER_BYTES);
    this.socket = handle === undefined ? socket : this.#socketOver(handle);
    this.socket.pause();
    if (this.socket === socket) return;
    closeWith(socket, this.socket);
    closeWith(this.socket, socket);
  }

  start(taker: Taker): void {
    this.#taker = taker;
    if (!this.#intoBuffer) this.socket.on('data', (chunk: Buffer) => taker.take(chunk));
    this.socket.resume();
  }

  #socketOver(handle: Handle): Socket {
    const onread: OnReadOpts = {
      buffer: () => this.#buffer,
      callback: (length, buffer) => this.#read(length, buffer),
    };
    // Node's types know of no such handles.
    return new Socket({ handle, onread } as unknown as SocketConstructorOpts);
  }

  #read(length: number, buffer: Uint8Array): boolean {
    const bytes = buffer.subarray(0, length);
    if (this.#taker.keeps()) {
      // Not the buffer, of which most may be empty: what waits for a slow reader is counted by its bytes.
      this.#taker.take(Buffer.from(bytes));
    } else {
      this.#taker.take(bytes);
      if (this.#taker.keeps()) this.#buffer = Buffer.allocUnsafeSlow(buffer.length);
    }
    this.#fit(length);
    return true;
  }

  /** A connection that moves much has a buffer for it, until it moves little; never the first one again, which many answers fill. */
  #fit(length: number): void {
    const held = this.#buffer.length;
    if (held === FIRST_BUFFER_BYTES && length < held) return;
    const fits = length < BUFFER_BYTES ? BUFFER_BYTES : LARGE_BUFFER_BYTES;
    if (fits !== held) this.#buffer = Buffer.allocUnsafeSlow(fits);
  }
}

type Handle = { readonly useUserBuffer: unknown };
type WithHandle = Socket & { _handle?: Partial<Handle> | null; readonly encrypted?: boolean };

/**
 * The connection, taken out of its Socket. Node reads into a buffer (`onread`) only with Sockets that are made so, and makes none so for a
 * connection that it accepts; one made over a connection that is there already can, which is how Node itself makes them. Undefined: not to be had
 * with TLS, with bytes still on their way in or out, and should a later Node keep its connections elsewhere.
 */
function releasedHandle(socket: WithHandle): Handle | undefined {
  const {
    _handle: handle,
    encrypted,
    destroyed,
    readableLength,
    readableEnded,
    writableLength,
    writableEnded,
  } = socket;
  if (encrypted === true || destroyed || readableEnded || writableEnded) return undefined;
  if (readableLength > 0 || writableLength > 0) return undefined;
  if (handle === undefined || handle === null || typeof handle.useUserBuffer !== 'function') return undefined;
  socket.pause();
  socket._handle = null;
  return handle as Handle; // looked at above
}

function closeWith(one: Socket, other: Socket): void {
  one.once('close', () => other.destroy());
}
