/** A session on a database without rules: bytes go through as they come. */
import type { Socket } from 'node:net';
import { Intake } from '../wire/intake.ts';
import { closeTogether, type ConnectionEnds } from './connection.ts';

export function spliceSession(ends: ConnectionEnds, closed: () => void): void {
  const client = new Intake(ends.client);
  const upstream = new Intake(ends.upstream);
  closeTogether(client.socket, upstream.socket, closed);
  carry(client, upstream.socket, ends.fromClient);
  carry(upstream, client.socket, ends.fromUpstream);
}

function carry(source: Intake, sink: Socket, first: Uint8Array): void {
  if (first.length > 0) sink.write(first);
  sink.on('drain', () => source.socket.resume());
  source.start({
    take: (bytes) => {
      if (!sink.write(bytes)) source.socket.pause();
    },
    keeps: () => sink.writableLength > 0,
  });
}
