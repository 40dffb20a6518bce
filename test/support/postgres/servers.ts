/** The PostgreSQL servers that the suites of ordinary clients run on, where the machine has them. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres, type TestPostgres } from './postgres.ts';

export const POSTGRES_SERVERS = [
  'PostgreSQL 18',
  'PostgreSQL in a container',
  'an older PostgreSQL of Debian',
] as const;
export type PostgresServerName = (typeof POSTGRES_SERVERS)[number];

const DEBIAN_FOLDER = '/usr/lib/postgresql';

/** The server of this name, or why there is none. */
export async function startPostgresServer(name: PostgresServerName): Promise<TestPostgres | string> {
  switch (name) {
    case 'PostgreSQL 18':
      return startPostgres();
    case 'PostgreSQL in a container':
      // Loaded for those who want one: `testcontainers` is large, and few do.
      return (await import('../containers/postgres.ts')).startPostgresContainer();
    case 'an older PostgreSQL of Debian': {
      const binaries = debianBinaries();
      return binaries === undefined
        ? `no PostgreSQL below ${DEBIAN_FOLDER} (Debian: apt-get install postgresql)`
        : startPostgres([], binaries);
    }
  }
}

function debianBinaries(): string | undefined {
  if (!existsSync(DEBIAN_FOLDER)) return undefined;
  const folders = readdirSync(DEBIAN_FOLDER).map((version) => join(DEBIAN_FOLDER, version, 'bin'));
  return folders.findLast((folder) => existsSync(join(folder, 'initdb')));
}
