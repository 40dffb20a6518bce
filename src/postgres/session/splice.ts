/** A session on a database without rules: bytes go through as they come. */
import type { Socket } from 'node:net';
import { closeTogether, type ConnectionEnds } from './connection.ts';

export function spliceSession(
  { client, upstream, fromClient, fromUpstream }: ConnectionEnds,
  closed: () => void,
): void {
  closeTogether(client, upstream, closed);
  carry(client, upstream, fromClient);
  carry(upstream, client, fromUpstream);
}

function carry(source: Socket, sink: Socket, first: Uint8Array): void {
  if (first.length > 0) sink.write(first);
  source.on('data', (chunk) => {
    if (!sink.write(chunk)) source.pause();
  });
  sink.on('drain', () => source.resume());
  source.resume();
}
