/**
 * Connections to the storage that give back the memory of streamed pieces as soon as they are written (`bodies/spent-bytes.ts`). undici
 * says of no piece when it is with the kernel; the callback of the socket's own write does.
 */
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { freeBytes } from '../bodies/spent-bytes.ts';
import { readDirectly } from './direct-reads.ts';

/** Pieces that belong to the stream that is being sent, and to nobody else: set by the sender, looked at by the socket. */
export class StreamedPieces {
  readonly #pieces = new WeakSet<object>();

  add(piece: Uint8Array): void {
    this.#pieces.add(piece);
  }

  /** Makes `socket` free what was added, each piece after it was written without an error. */
  freeAfterWrite(socket: Socket): void {
    const write = socket.write.bind(socket) as Write;
    // undici gives the data and at most an encoding.
    socket.write = ((data: Uint8Array | string, encoding?: BufferEncoding): boolean => {
      if (typeof data === 'string' || !this.#pieces.delete(data)) return write(data, encoding);
      return write(data, encoding, (error) => {
        if (error === undefined || error === null) freeBytes(data);
      });
    }) as Socket['write']; // Its overloads, of which undici uses these.
  }
}

type Write = (data: Uint8Array | string, encoding?: BufferEncoding, done?: (error?: Error | null) => void) => boolean;

/**
 * More than one read, and more than one piece of an upload: neither stops the socket by itself, without anybody being behind. (Node's TLS
 * sockets have a smaller measure, by their records.)
 */
const UNENCRYPTED_BYTES = 128 * 1024;

export function freeingConnector(
  options: buildConnector.BuildOptions,
  pieces: StreamedPieces,
): buildConnector.connector {
  const encrypted = buildConnector(options);
  // An option of every stream, which undici hands to the socket and its types do not name.
  const sized: buildConnector.BuildOptions & { highWaterMark: number } = {
    ...options,
    highWaterMark: UNENCRYPTED_BYTES,
  };
  const unencrypted = buildConnector(sized);
  return (to, callback) => {
    const isEncrypted = to.protocol === 'https:';
    const connect = isEncrypted ? encrypted : unencrypted;
    connect(to, (...result) => {
      const [error, socket] = result;
      if (error === null) {
        pieces.freeAfterWrite(socket);
        if (!isEncrypted) readDirectly(socket);
      }
      callback(...result);
    });
  };
}
