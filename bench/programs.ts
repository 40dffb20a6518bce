/** The programs beside which Sealgate is measured, each started with a config of its own on a free port; `undefined` where it is not installed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../src/cli/demo/servers.ts';

export type Running = { readonly port: number; readonly stop: () => Promise<void> };

export function find(program: string): string | undefined {
  const { stdout, status } = spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${program}`], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
}

export async function untilListening(port: number, attempts = 1200): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/**
 * nginx as a plain reverse proxy in front of an HTTP server: one process, connections to it kept, bodies never written to disk. The
 * buffers are what a person who tunes nginx for large bodies sets: with its own 8 KiB it is slower than we are.
 */
export async function startNginx(
  folder: string,
  upstreamPort: number,
  /** Files beside its config: TLS to clients. */
  certificate?: { readonly cert: string; readonly key: string },
): Promise<(Running & { readonly pid: number }) | undefined> {
  const nginx = find('nginx');
  if (nginx === undefined) return undefined;
  const port = await freePort();
  const config = join(folder, 'nginx.conf');
  const ssl =
    certificate === undefined
      ? ''
      : `ssl_certificate ${folder}/${certificate.cert}; ssl_certificate_key ${folder}/${certificate.key}; ssl_protocols TLSv1.3;`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  await writeFile(
    config,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http {
  access_log off; client_max_body_size 0; keepalive_requests 1000000;
  proxy_http_version 1.1; proxy_request_buffering off; client_body_buffer_size 128k;
  proxy_buffering on; proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 128k; proxy_max_temp_file_size 0;
  ${temporary.map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join(' ')}
  upstream store { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}${ssl === '' ? '' : ' ssl'}; ${ssl} location / { proxy_pass http://store; proxy_set_header Host $http_host; proxy_set_header Connection ""; } }
}\n`,
  );
  const child = spawn(nginx, ['-c', config, '-p', folder], { stdio: 'ignore' });
  await untilListening(port);
  return { port, pid: child.pid ?? 0, stop: () => stopChild(child) };
}

/** From 1.21 on PgBouncer can follow prepared statements, which session mode has no need of; before, it refuses the setting. */
function tracksPrepared(program: string): boolean {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > 1 || Number(minor) >= 21;
}

export type PgBouncerSettings = { readonly auth?: 'scram-sha-256' | 'trust'; readonly maxClients?: number };

/** PgBouncer in session mode with one user. It refuses to run as root. */
export async function startPgBouncer(
  folder: string,
  upstreamPort: number,
  { user, password }: { readonly user: string; readonly password: string },
  { auth = 'scram-sha-256', maxClients = 200 }: PgBouncerSettings = {},
): Promise<(Running & { readonly pid: number }) | undefined> {
  const program = find('pgbouncer');
  if (program === undefined) return undefined;
  const port = await freePort();
  const users = join(folder, 'users.txt');
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(users, `"${user}" "${password}"\n`);
  await writeFile(
    config,
    `[databases]\n* = host=127.0.0.1 port=${upstreamPort}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = ${auth}\nauth_file = ${users}
pool_mode = session\nmax_client_conn = ${maxClients}\ndefault_pool_size = 100\n${tracksPrepared(program) ? 'max_prepared_statements = 0\n' : ''}`,
  );
  await Promise.all([users, config].map((file) => chmod(file, 0o644)));
  const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(program, ['-q', config], { ...as, stdio: 'ignore' });
  await untilListening(port);
  return { port, pid: child.pid ?? 0, stop: () => stopChild(child) };
}
