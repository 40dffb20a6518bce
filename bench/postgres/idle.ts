/**
 * What connections cost that do nothing: thousands of them on a database with rules, in clear and with TLS. Behind the proxy stands PgBouncer, which
 * holds as many without a backend for each; where it is not installed there is no such server, and the lane says so.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { serialize } from 'pg-protocol';
import { freePort, startBackends } from '../../src/cli/demo/servers.ts';
import { PROXY_CERTIFICATE_PEM, PROXY_KEY_PEM } from '../../test/support/certificates.ts';
import type { BenchOptions } from '../options.ts';
import { startPgBouncer, untilListening } from '../programs.ts';
import { applyDdl, cli, DATABASE, prepareDatabase, startCli, USER } from './world.ts';

const CONNECTIONS = 5000;
/** Opened at once: more would wait in the queue of the listener. */
const TOGETHER = 50;

export async function benchIdle({ say, print }: BenchOptions): Promise<void> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const password = randomBytes(12).toString('hex');
  const backends = await startBackends(folder, password);
  started.defer(() => backends.stop());
  await prepareDatabase(backends.postgresPort, password);
  const settings = { auth: 'trust', maxClients: CONNECTIONS + 100 } as const;
  const pooler = await startPgBouncer(folder, backends.postgresPort, { user: USER, password }, settings);
  if (pooler === undefined) return say('PgBouncer is not installed: nothing else here holds so many connections');
  started.defer(() => pooler.stop());
  const lines: string[] = [];
  const ports = { postgres: backends.postgresPort, upstream: pooler.port };
  const runs: readonly Pick<Run, 'tls' | 'node'>[] = [
    { tls: false, node: [] },
    { tls: true, node: [] },
    { tls: true, node: ['--max-semi-space-size=8'] },
  ];
  for (const run of runs) lines.push(await measure({ folder, password, ports, say, ...run }));
  print('#### Idle connections on a database with rules, client and server side each, resident memory of Sealgate\n');
  print('|  | connections | before | with them | each |\n| --- | --- | --- | --- | --- |');
  for (const line of lines) print(line);
}

type Run = {
  readonly folder: string;
  readonly password: string;
  readonly ports: { readonly postgres: number; readonly upstream: number };
  readonly tls: boolean;
  /** Options of Node, as NODE_OPTIONS would give them. */
  readonly node: readonly string[];
  readonly say: (line: string) => void;
};

async function measure({ folder, password, ports, tls, node, say }: Run): Promise<string> {
  const own = await mkdtemp(join(folder, 'sealgate-'));
  const port = await freePort();
  await cli(['init'], own);
  await Promise.all([
    writeFile(join(own, 'proxy.crt'), PROXY_CERTIFICATE_PEM),
    writeFile(join(own, 'proxy.key'), PROXY_KEY_PEM),
    writeFile(join(own, 'sealgate.yaml'), config({ port, ports, password, tls })),
  ]);
  await cli(['keys', 'create', '--alias', 'bench'], own);
  await applyDdl(own, ports.postgres, password);
  const child = startCli(['up'], own, node);
  child.stdout?.resume();
  child.stderr?.pipe(process.stderr);
  await untilListening(port);
  const open: Socket[] = [];
  try {
    const before = await residentBytes(child.pid ?? 0);
    say(`opening ${CONNECTIONS} connections ${tls ? 'with TLS' : 'in clear'} …`);
    while (open.length < CONNECTIONS)
      open.push(...(await Promise.all(Array.from({ length: TOGETHER }, () => logIn(port, tls)))));
    // What opening them left behind is collected by and by.
    await sleep(10_000);
    const after = await residentBytes(child.pid ?? 0);
    const each = `${((after - before) / CONNECTIONS / 1024).toFixed(1)} KiB`;
    const name = [tls ? 'TLS to clients' : 'in clear', ...node].join(', ');
    return `| ${name} | ${open.length} | ${mebibytes(before)} | ${mebibytes(after)} | ${each} |`;
  } finally {
    for (const socket of open) socket.destroy();
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await exited;
  }
}

function config({
  port,
  ports,
  password,
  tls,
}: Omit<Run, 'folder' | 'node' | 'say'> & { readonly port: number }): string {
  const listen = tls ? `{ port: ${port}, tls: { certFile: proxy.crt, keyFile: proxy.key } }` : `{ port: ${port} }`;
  return `version: 1
keys: { store: ./sealgate-keys.sqlite, unseal: [{ type: keyFile, path: ./root.key }] }
postgres:
  listen: ${listen}
  upstream: { host: 127.0.0.1, port: ${ports.upstream}, tls: { mode: disable } }
  databases: [{ name: ${DATABASE}, service: { url: "postgres://sealgate:${password}@127.0.0.1:${ports.postgres}/${DATABASE}?sslmode=disable" } }]
  columns: [{ column: ${DATABASE}.public.sealed_people.number, type: integer, key: alias/bench, mode: deterministic }]
observe: { log: { level: warn } }
`;
}

const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** Up to the first ReadyForQuery. */
async function logIn(port: number, tls: boolean): Promise<Socket> {
  const plain = connect({ port, host: '127.0.0.1' });
  await once(plain, 'connect');
  const socket = tls ? await secured(plain) : plain;
  socket.write(serialize.startup({ user: USER, database: DATABASE }));
  let received = Buffer.alloc(0);
  while (!received.includes(READY)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    received = Buffer.concat([received, chunk]);
    if (received[0] === 0x45) throw new Error(received.toString());
  }
  return socket;
}

async function secured(plain: Socket): Promise<Socket> {
  plain.write(serialize.requestSsl());
  await once(plain, 'data');
  const socket = connectTls({ socket: plain, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  return socket;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
