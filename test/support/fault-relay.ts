/** A TCP relay between gateway and store that fails each connection's next exchange as it is told: what a bad network and a bad store look like. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export type Fault =
  | { readonly type: 'none' }
  /** Nothing moves for so long. */
  | { readonly type: 'slow'; readonly ms: number }
  /** The connection is reset after so many bytes of the request, or of the answer. */
  | { readonly type: 'reset'; readonly of: 'request' | 'answer'; readonly afterBytes: number }
  /** It ends in order, in the middle of the answer. */
  | { readonly type: 'cut'; readonly afterBytes: number }
  /** An answer that is not the store's. */
  | { readonly type: 'status'; readonly status: 500 | 503 };

export type FaultRelay = {
  readonly port: number;
  /** What happens to data from now on, on every connection. */
  fault: Fault;
  /** How often it happens before there is none. */
  strikes: number;
  readonly openSockets: () => number;
  close(): Promise<void>;
};

export async function startFaultRelay(target: number): Promise<FaultRelay> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    carry(client, upstream, 'request', relay);
    carry(upstream, client, 'answer', relay);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const relay: FaultRelay = {
    port: (server.address() as AddressInfo).port, // A listening TCP server has an address object.
    fault: { type: 'none' },
    strikes: Infinity,
    openSockets: () => open.size,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
  return relay;
}

/** Once it has ended a connection as it should. */
function strike(relay: FaultRelay): void {
  relay.strikes -= 1;
  if (relay.strikes > 0) return;
  relay.fault = { type: 'none' };
  relay.strikes = Infinity;
}

function carry(from: Socket, to: Socket, what: 'request' | 'answer', relay: FaultRelay): void {
  // Bytes under the fault that holds; another fault counts afresh.
  let fault: Fault = { type: 'none' };
  let moved = 0;
  let struck = false;
  from.on('data', (piece: Buffer) => {
    // What still comes of an exchange that was ended.
    if (struck) return;
    if (relay.fault !== fault) [fault, moved] = [relay.fault, 0];
    const before = moved;
    moved += piece.length;
    if (fault.type === 'slow') pauseFor(from, fault.ms);
    if (fault.type === 'status' && what === 'request') {
      struck = true;
      answerInstead(from, fault.status);
      strike(relay);
      return;
    }
    const limit = fault.type === 'reset' && fault.of === what ? fault.afterBytes : Infinity;
    const end = fault.type === 'cut' && what === 'answer' ? fault.afterBytes : Infinity;
    if (moved <= Math.min(limit, end)) {
      if (!to.write(piece)) pauseUntilDrained(from, to);
      return;
    }
    const rest = piece.subarray(0, Math.max(0, Math.min(limit, end) - before));
    struck = true;
    strike(relay);
    to.write(rest, () => (moved > limit ? reset(to) : to.end()));
    from.destroy();
  });
  from.on('end', () => to.end());
}

/**
 * Node 26 cannot reset a connection whose end is being sent (EINVAL): the socket then never closes, and the process spins when it should exit.
 */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

function pauseFor(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

function pauseUntilDrained(from: Socket, to: Socket): void {
  from.pause();
  to.once('drain', () => from.resume());
}

function answerInstead(client: Socket, status: number): void {
  const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>no</Message></Error>';
  client.end(
    `HTTP/1.1 ${status} Trouble\r\nContent-Type: application/xml\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
