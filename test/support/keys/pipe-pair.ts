/** Both ends of a pipe of the operating system, as between a process and its child. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function pipePair(): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-pipe-'));
  const server = createServer().listen(join(folder, 'pipe'));
  await once(server, 'listening');
  const one = createConnection(join(folder, 'pipe'));
  const [other] = (await once(server, 'connection')) as [Socket];
  server.close();
  rmSync(folder, { recursive: true, force: true });
  return [one, other];
}
