/** PgBouncer in front of a server, with settings of its own; tests that need it are skipped where Debian's is not installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../src/cli/demo/servers.ts';

export type PgBouncer = { readonly port: number; stop(): Promise<void> };

export type PgBouncerOptions = {
  readonly target: number;
  /** By name: their passwords, with which PgBouncer logs in at the server too. */
  readonly users: Readonly<Record<string, string>>;
  readonly mode: 'session' | 'transaction' | 'statement';
  readonly settings?: Readonly<Record<string, string>>;
};

// Debian puts it where only root looks.
const PROGRAM = ['pgbouncer', '/usr/sbin/pgbouncer'].find(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

/** Why there is none; undefined where it is installed. */
export function missingPgBouncer(): string | undefined {
  return PROGRAM === undefined ? 'not installed: pgbouncer (Debian: apt-get install pgbouncer)' : undefined;
}

export async function startPgBouncer({ target, users, mode, settings = {} }: PgBouncerOptions): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-pgbouncer-'));
  const port = await freePort();
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(folder, 'users.txt'),
    pool_mode: mode,
    ignore_startup_parameters: 'extra_float_digits',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  await writeFile(
    join(folder, 'pgbouncer.ini'),
    ['[databases]', `* = host=127.0.0.1 port=${target}`, '[pgbouncer]', ...lines, ''].join('\n'),
  );
  const passwords = Object.entries(users).map(([name, password]) => `"${name}" "${password}"`);
  await writeFile(join(folder, 'users.txt'), `${passwords.join('\n')}\n`);
  await chmod(folder, 0o755);
  // It refuses to run as root.
  const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(PROGRAM ?? 'pgbouncer', ['-q', join(folder, 'pgbouncer.ini')], { ...as, stdio: 'ignore' });
  await untilListening(port);
  return {
    port,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}
