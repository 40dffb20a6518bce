/** A TCP relay whose way can be cut and mended: what a network failure between Sealgate and a server looks like. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export type Relay = {
  readonly port: number;
  /** Refuses new connections and breaks those that are open. */
  cut(): Promise<void>;
  /** Listens again, on the same port. */
  mend(): Promise<void>;
};

/** `sent`: sees what goes to the target. */
export async function startRelay(target: number, sent?: (bytes: Uint8Array) => void): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    if (sent !== undefined) client.on('data', sent);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  const listen = async (port: number): Promise<number> => {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const address = server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  };
  const port = await listen(0);
  return {
    port,
    cut: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
    mend: async () => {
      await listen(port);
    },
  };
}
