/** A session on a database without rules: bytes go through as they come. */
import type { Socket } from 'node:net';
import type { Draining } from '../draining.ts';
import { Intake } from '../wire/intake.ts';
import { closeTogether, serverLost, shutDown, type ConnectionEnds } from './connection.ts';
import type { SessionOptions } from './session.ts';

/** Messages are not looked at here: bytes that look like the end of a transaction, and then nothing for so long, are taken for one. */
const QUIET_MS = 50;
/** ReadyForQuery, idle. */
const READY: readonly number[] = [0x5a, 0, 0, 0, 5, 0x49];

export function spliceSession(
  ends: ConnectionEnds,
  options: Pick<SessionOptions, 'user' | 'database' | 'logger' | 'metrics'>,
  draining: Draining,
): void {
  const fromClient = new Intake(ends.client);
  const fromUpstream = new Intake(ends.upstream);
  const sockets = { client: fromClient.socket, upstream: fromUpstream.socket };
  let isReady = false;
  let isEnding = false;
  let quiet: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(quiet);
    if (isEnding && isReady) quiet = setTimeout(() => shutDown(sockets), QUIET_MS);
  };
  const leave = draining.add(() => {
    isEnding = true;
    look();
  });
  const closed = (): void => {
    leave();
    clearTimeout(quiet);
  };
  closeTogether(sockets.client, sockets.upstream, closed, () => (isReady ? serverLost(options) : undefined));
  carryBytes(fromClient, sockets.upstream, ends.fromClient, () => {
    isReady = false;
    if (isEnding) look();
  });
  carryBytes(fromUpstream, sockets.client, ends.fromUpstream, (bytes) => {
    isReady = endsReady(bytes);
    if (isEnding) look();
  });
}

function endsReady(bytes: Uint8Array): boolean {
  const from = bytes.length - READY.length;
  return from >= 0 && READY.every((byte, index) => bytes[from + index] === byte);
}

export function carryBytes(source: Intake, sink: Socket, first: Uint8Array, seen: (bytes: Uint8Array) => void): void {
  if (first.length > 0) {
    sink.write(first);
    seen(first);
  }
  sink.on('drain', () => source.socket.resume());
  source.start({
    take: (bytes) => {
      // After `end` of a session that was shut down nothing more is carried.
      if (sink.writable && !sink.write(bytes)) source.socket.pause();
      seen(bytes);
    },
    keeps: () => sink.writableLength > 0,
  });
}
