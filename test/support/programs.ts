/**
 * Programs that tests use and npm does not give. `npm test` as root on Debian installs those that are missing, once, before
 * the first test (`setup` is vitest's `globalSetup`); elsewhere, and where that fails, the tests that need them are skipped
 * with the reason.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Starts and wipes a one-node Ceph cluster with RGW. */
export const RADOSGW_SCRIPT = resolve(process.env['SEALGATE_SHARED'] ?? '../shared', 'tools/radosgw.sh');

type DebianProgram = { readonly packages: readonly string[]; readonly wanted?: () => boolean };

const CEPH: DebianProgram = {
  packages: ['radosgw', 'ceph-mon', 'ceph-osd'],
  wanted: () => existsSync(RADOSGW_SCRIPT),
};
const PROGRAMS: Readonly<Record<string, DebianProgram>> = {
  psql: { packages: ['postgresql-client'] },
  aws: { packages: ['awscli'] },
  rclone: { packages: ['rclone'] },
  s3cmd: { packages: ['s3cmd'] },
  restic: { packages: ['restic'] },
  s3fs: { packages: ['s3fs', 'fuse3'] },
  strace: { packages: ['strace'] },
  prlimit: { packages: ['util-linux'] },
  radosgw: CEPH,
  'ceph-mon': CEPH,
  'ceph-osd': CEPH,
};

const APT_OPTIONS = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=120'];
const APT_TIMEOUT_MS = 300_000;

/** How programs are asked whether they are there, where it is not `--version`. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  openssl: ['version'],
  go: ['version'],
  restic: ['version'],
};

// Run, not looked up: Debian's wrapper of pgbench is there without pgbench.
const runs = (program: string): boolean =>
  spawnSync(program, ASKED[program] ?? ['--version'], { stdio: 'ignore' }).status === 0;

/** Why tests that need these programs cannot run here; undefined where all are on the PATH. */
export function missing(...programs: readonly string[]): string | undefined {
  const absent = programs.filter((program) => !runs(program));
  if (absent.length === 0) return undefined;
  const packages = new Set(absent.flatMap((program) => PROGRAMS[program]?.packages ?? []));
  const remedy =
    packages.size === 0 ? '' : ` (Debian: apt-get install --no-install-recommends ${[...packages].join(' ')})`;
  return `not on the PATH: ${absent.join(', ')}${remedy}`;
}

function apt(...words: readonly string[]): boolean {
  const { status } = spawnSync('apt-get', [...APT_OPTIONS, '-qq', ...words], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: 'ignore',
    timeout: APT_TIMEOUT_MS,
  });
  return status === 0;
}

/** Only for `npm test`: whoever runs a single file meanwhile does not want to wait for packages. */
export function setup(): void {
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (process.env['npm_lifecycle_event'] !== 'test' || !mayInstall) return;
  const absent = Object.entries(PROGRAMS).filter(([program, { wanted }]) => wanted?.() !== false && !runs(program));
  const groups = new Set(absent.map(([, { packages }]) => packages));
  if (groups.size === 0) return;
  process.stderr.write('installing Debian packages that tests use …\n');
  apt('update');
  // One by one: what cannot be had does not keep the rest away.
  for (const packages of groups) {
    const done = apt('install', '-y', '--no-install-recommends', ...packages);
    process.stderr.write(`  ${packages.join(' ')}: ${done ? 'installed' : 'could not be installed'}\n`);
  }
}
