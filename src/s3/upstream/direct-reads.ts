/**
 * Hands each read of a socket to its reader in the turn in which it came. A stream keeps what was read, tells of it in a later tick and
 * gives it out by `read`; of 64 KiB that costs more than a third of opening them. undici reads by the `readable` event and `read()` alone,
 * so it is told at once, and what it does not take (it has paused, or has something left to read) goes the stream's own way.
 *
 * Not for TLS: its sockets may read within a write, and undici's parser is not to be entered while it runs.
 */
import type { Socket } from 'node:net';

/** Precondition: `socket` is a TCP socket without TLS, in paused mode. */
export function readDirectly(socket: Socket): void {
  const push = socket.push.bind(socket);
  const read = socket.read.bind(socket);
  let direct: Buffer | undefined;
  socket.read = (size?: number): unknown => {
    if (direct === undefined || size !== undefined) return read(size);
    const chunk = direct;
    direct = undefined;
    return chunk;
  };
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null || chunk.length === 0 || socket.readableLength > 0) return push(chunk, encoding);
    direct = chunk;
    socket.emit('readable');
    if (direct === undefined) return true;
    direct = undefined;
    return push(chunk, encoding);
  };
}
