/**
 * A Docker-compatible engine for `testcontainers`: the one that DOCKER_HOST or the usual socket names, else podman, whose API
 * is served while containers of this test file run. Nothing is pulled: images are made of what this machine has (`images.ts`).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { missing } from '../programs.ts';

const DOCKER_SOCKET = '/var/run/docker.sock';
/** Should nobody be left to end it, it ends itself. */
const IDLE_SECONDS = 600;
const SERVICE_TIMEOUT_MS = 20_000;
const PING_TIMEOUT_MS = 5_000;

/** One name for as long as the process lives: `testcontainers` keeps the first engine that it finds. */
const folder = join(tmpdir(), `sealgate-podman-${process.pid}`);
const socket = join(folder, 'podman.sock');

export type Engine = { readonly close: () => Promise<void> };

/** An engine that answers, named to `testcontainers` by the environment; or why there is none. One at a time. */
export async function openEngine(): Promise<Engine | string> {
  // Its clean-up container would have to be pulled; the tests stop what they start.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  if (process.platform !== 'linux') return 'images for containers are made of programs for Linux, which this is not';
  const named = process.env['DOCKER_HOST'];
  if ((named !== undefined && named !== `unix://${socket}`) || (await answers(DOCKER_SOCKET)))
    return { close: async () => undefined };
  const reason = missing('podman', 'runc');
  return reason === undefined ? servePodman() : `no container engine answers at ${DOCKER_SOCKET}; ${reason}`;
}

async function servePodman(): Promise<Engine | string> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'log');
  const words = ['--runtime', 'runc', 'system', 'service', `--time=${IDLE_SECONDS}`, `unix://${socket}`];
  // A file and no pipe: a service that outlives us writes on.
  const service = spawn('podman', words, { stdio: ['ignore', 'ignore', openSync(log, 'w')] });
  const close = async (): Promise<void> => {
    await end(service);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + SERVICE_TIMEOUT_MS;
  while (service.exitCode === null && Date.now() < deadline) {
    if (await answers(socket)) {
      process.env['DOCKER_HOST'] = `unix://${socket}`;
      return { close };
    }
    await sleep(50);
  }
  const said = (await readFile(log, 'utf8')).trim().slice(-500);
  await close();
  return `podman does not serve its API: ${said}`;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Whether a Docker-compatible API answers at a socket. */
async function answers(socketPath: string): Promise<boolean> {
  if (!existsSync(socketPath)) return false;
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', timeout: PING_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}
