/** Where clients come in: a TCP port, a Unix socket, or both. */
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { connect, type AddressInfo, type ListenOptions, type Server } from 'node:net';
import type { PostgresProxyOptions } from './options.ts';

type Listen = PostgresProxyOptions['listen'];

export type Listening = { readonly host: string; readonly port: number; readonly socket: string | undefined };

/** `tcp` and `local` listen, as far as they are asked for. Rejects where one cannot (EADDRINUSE). */
export async function listenAt(
  { host, port, socket, shared = false }: Listen,
  servers: { readonly tcp: Server; readonly local: Server },
): Promise<Listening> {
  const path = socket === undefined ? undefined : `${socket}/.s.PGSQL.${port}`;
  if (path !== undefined) {
    await removeStale(path);
    // As PostgreSQL's own (unix_socket_permissions): who may use it proves so by logging in.
    await listening(servers.local, { path, readableAll: true, writableAll: true });
  }
  if (host === undefined) return { host: path ?? '', port, socket: path };
  try {
    await listening(servers.tcp, { host, port, reusePort: shared });
  } catch (error) {
    // Nobody would be left to serve, or to end, who came in by the other.
    servers.local.close();
    throw error;
  }
  // A TCP server's address is never a path, and null only when closed.
  const address = servers.tcp.address() as AddressInfo;
  return { host: address.address, port: address.port, socket: path };
}

/** A process that was killed leaves its socket's file; where nobody answers behind it, it goes. */
async function removeStale(path: string): Promise<void> {
  const probe = connect({ path });
  const code = await Promise.race([
    once(probe, 'connect').then(() => undefined),
    once(probe, 'error').then(([error]: (Error & { code?: string })[]) => error?.code),
  ]).catch((error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined));
  probe.destroy();
  // Of a file that is no socket the system says the same; it is nobody's to remove.
  if (code === 'ECONNREFUSED' && (await lstat(path)).isSocket()) await unlink(path);
}

function listening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
