/** Starts the demo's stores in a child process of their own (`backends.ts`) and stops them. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.ts';

export type BackendsRequest = {
  readonly folder: string;
  readonly password: string;
  /** How many PostgreSQL takes at once. */
  readonly maxConnections: number;
};

type BackendsReady = {
  readonly type: 'ready';
  readonly postgresPort: number;
  readonly objectsPort: number;
  readonly postgresFolder: string;
  readonly objectsFolder: string;
};
export type BackendsReply = BackendsReady | { readonly type: 'failed'; readonly message: string };

export type Backends = Omit<BackendsReady, 'type'> & { readonly stop: () => Promise<void> };

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port');
  return address.port;
}

async function firstReply(child: ChildProcess): Promise<BackendsReply> {
  // The child sends only BackendsReply.
  const replied = once(child, 'message').then(([message]) => message as BackendsReply);
  const exited = once(child, 'exit').then(([code]): BackendsReply => ({
    type: 'failed',
    message: `the servers ended with ${String(code)}`,
  }));
  return Promise.race([replied, exited]);
}

/** PostgreSQL (user `postgres`) and an S3 server on free loopback ports, with all files below `folder`. */
export async function startBackends(folder: string, password: string, maxConnections = 100): Promise<Backends> {
  const own = import.meta.url;
  const script = fileURLToPath(new URL(own.endsWith('.ts') ? './backends.ts' : './backends.js', own));
  // Detached: a terminal's Ctrl-C goes to the whole foreground group, and would stop PostgreSQL under Sealgate's feet.
  const child = fork(script, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send({ folder, password, maxConnections } satisfies BackendsRequest);
  const message = await firstReply(child);
  if (message.type === 'failed') throw new CliError('ERR_CLI_DEMO_UNAVAILABLE', message.message);
  const { type: _type, ...ready } = message;
  return {
    ...ready,
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.send({ type: 'stop' });
      await exited;
    },
  };
}
