/** A hot standby that streams from a test's PostgreSQL, made from a copy of its files as pg_basebackup makes it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, lchown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connectTo } from './connect.ts';
import { binaryFolder } from '../../../src/cli/demo/postgres-server.ts';
import { freePort } from '../../../src/cli/demo/servers.ts';
import { chosenBinaries, type TestPostgres } from './postgres.ts';
import { runFolder } from './run-folder.ts';

export type Standby = Pick<TestPostgres, 'host' | 'port' | 'url'> & {
  /** Makes a primary of it. */
  promote(): Promise<void>;
  stop(): Promise<void>;
};

/** `binaries`: the primary's, where they are not the chosen ones. */
export async function startStandby(primary: TestPostgres, binaries?: string): Promise<Standby> {
  const folder = await mkdtemp(join(runFolder() ?? tmpdir(), 'sealgate-standby-'));
  const data = join(folder, 'postgres');
  const { uid, gid } = await stat(primary.dataDirectory);
  await copyRunning(primary, data);
  await writeFile(join(data, 'standby.signal'), '');
  for (const path of [folder, data, ...(await readdir(data, { recursive: true })).map((name) => join(data, name))])
    await lchown(path, uid, gid);
  const port = await freePort();
  const child = await start(primary, { data, port, uid, gid, binaries });
  const url = (database = 'postgres') =>
    `postgres://${primary.superuser}:${primary.password}@127.0.0.1:${port}/${database}`;
  return {
    host: '127.0.0.1',
    port,
    url,
    promote: () => query(url(), 'SELECT pg_promote()'),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGINT');
        await exited;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function copyRunning(primary: TestPostgres, data: string): Promise<void> {
  const client = await connectTo(primary.url());
  const { rows: versions } = await client.query<{ server_version_num: string }>('SHOW server_version_num');
  const isOld = Number(versions[0]?.server_version_num) < 150_000;
  await client.query(
    isOld ? "SELECT pg_start_backup('standby', true, false)" : "SELECT pg_backup_start('standby', true)",
  );
  const apart = ['postmaster.pid', 'postmaster.opts'];
  const filter = (source: string): boolean => !apart.some((name) => source === join(primary.dataDirectory, name));
  await cp(primary.dataDirectory, data, { recursive: true, filter, verbatimSymlinks: true, mode: 0 });
  const stop = isOld ? 'pg_stop_backup(false, false)' : 'pg_backup_stop(false)';
  const { rows } = await client.query<{ labelfile: string }>(`SELECT labelfile FROM ${stop}`);
  await writeFile(join(data, 'backup_label'), rows[0]?.labelfile ?? '');
  await client.end();
}

async function start(
  primary: TestPostgres,
  {
    data,
    port,
    uid,
    gid,
    binaries: given,
  }: { data: string; port: number; uid: number; gid: number; binaries: string | undefined },
): Promise<ChildProcess> {
  // Where the server's user could not reach the package's programs they were copied beside the data, and go with the primary.
  const besides = (folder: string): string => join(dirname(folder), 'native');
  const [copied, own] = [besides(primary.dataDirectory), besides(data)];
  if (existsSync(copied)) await cp(copied, own, { recursive: true });
  const binaries = existsSync(own) ? join(own, 'bin') : (given ?? (await chosenBinaries()) ?? (await binaryFolder()));
  const from = `host=127.0.0.1 port=${primary.port} user=${primary.superuser} password=${primary.password}`;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`, 'fsync=off'];
  const flags = [...settings, `primary_conninfo=${from}`].flatMap((setting) => ['-c', setting]);
  const as = process.getuid?.() === 0 ? { uid, gid } : {};
  const child = spawn(join(binaries, 'postgres'), ['-D', data, ...flags], {
    ...as,
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: '/',
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-20_000);
      // Before 14: read only connections.
      if (/ready to accept read.only connections/u.test(said)) resolve();
    });
    child.once('exit', () => reject(new Error(`the standby ended: ${said}`)));
  });
  return child;
}

async function query(url: string, sql: string): Promise<void> {
  const client = await connectTo(url);
  await client.query(sql);
  await client.end();
}
