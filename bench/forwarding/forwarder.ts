/** What both bare forwarders share: the server in front, with the gateway's own settings, and how they are started. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** As `src/s3/server.ts` has them. */
export const SERVER_OPTIONS = { keepAlive: true, noDelay: true, highWaterMark: 128 * 1024 };

export const upstreamPort = (): number => Number(process.argv[2]);

/** Says its port to the parent; ends with it. */
export function listenFor(server: Server): void {
  // A listening TCP server has an address object.
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on('disconnect', () => process.exit(0));
}
