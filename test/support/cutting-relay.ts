/** A relay of the PostgreSQL protocol that knows where messages end, and cuts a connection after so many of one direction. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export type Direction = 'frontend' | 'backend';

/** `torn`: in the middle of the next message; the others right after the last one. */
export type Cut = {
  readonly direction: Direction;
  readonly after: number;
  readonly how: 'end' | 'reset' | 'torn';
};

export type CuttingRelay = {
  readonly port: number;
  /** Of the next connection; undefined: none. */
  cut: Cut | undefined;
  /** Messages of the last connection so far. */
  readonly counts: { frontend: number; backend: number };
  readonly openSockets: () => number;
  close(): Promise<void>;
};

export async function startCuttingRelay(target: number): Promise<CuttingRelay> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const { cut } = relay;
    const counts = { frontend: 0, backend: 0 };
    relay.counts = counts;
    const stop = (): void => {
      for (const socket of [client, upstream]) {
        if (cut?.how === 'end') socket.end();
        else if (cut?.how === 'reset') socket.resetAndDestroy();
        else socket.destroy();
      }
    };
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('end', () => other.end());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    const carry = (from: Socket, to: Socket, direction: Direction, hasStartup: boolean): void => {
      const messages = new Messages(hasStartup);
      const limit = cut?.direction === direction ? cut.after : Infinity;
      from.on('data', (chunk: Buffer) => {
        if (counts[direction] >= limit) return;
        for (const message of messages.take(chunk)) {
          // Sockets are written to one message at a time, so that the last one is on its way when the cut comes.
          to.write(message);
          counts[direction] += 1;
          if (counts[direction] < limit) continue;
          if (cut?.how === 'torn') to.write(Uint8Array.of(direction === 'backend' ? 0x44 : 0x51, 0, 0));
          setTimeout(stop, 2);
          return;
        }
      });
    };
    carry(client, upstream, 'frontend', true);
    carry(upstream, client, 'backend', false);
    if (cut?.after === 0) setTimeout(stop, 2);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const relay: CuttingRelay & { counts: CuttingRelay['counts'] } = {
    port: (server.address() as AddressInfo).port, // A listening TCP server has an address object.
    cut: undefined,
    counts: { frontend: 0, backend: 0 },
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

/** Cuts bytes into messages. */
class Messages {
  #bytes = Buffer.alloc(0);
  /** Startup packets have no type byte. */
  #isStartup: boolean;

  constructor(hasStartup: boolean) {
    this.#isStartup = hasStartup;
  }

  *take(chunk: Buffer): Generator<Buffer> {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const lengthAt = this.#isStartup ? 0 : 1;
      if (this.#bytes.length < lengthAt + 4) return;
      const length = lengthAt + this.#bytes.readUInt32BE(lengthAt);
      if (this.#bytes.length < length) return;
      this.#isStartup = false;
      const message = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      yield message;
    }
  }
}
