/**
 * The child process that holds the demo's two stores, a PostgreSQL and an S3 server, so that they take no turn on
 * Sealgate's event loop and Ctrl-C in a terminal reaches Sealgate alone. Runs until told to stop, or until the parent is
 * gone, whose files it then removes. Started by `servers.ts`, with `BackendsRequest` as its first message.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from './postgres-server.ts';
import type { BackendsRequest, BackendsReply } from './servers.ts';

type ObjectServer = { readonly port: number; readonly folder: string; readonly stop: () => Promise<void> };

async function startObjects(folder: string): Promise<ObjectServer> {
  const directory = join(folder, 'objects');
  await mkdir(directory);
  const { default: S3rver } = await import('@20minutes/s3rver');
  // The fork rejects what the AWS SDK signs for a whole bucket; the store behind the gateway is not what is shown here.
  const server = new S3rver({
    directory,
    address: '127.0.0.1',
    port: 0,
    silent: true,
    allowMismatchedSignatures: true,
  });
  const { port: bound } = await server.run();
  return {
    port: bound,
    folder: directory,
    stop: async () => {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
    },
  };
}

function reply(message: BackendsReply): void {
  process.send?.(message);
}

type Servers = { readonly ready: BackendsReply; readonly stop: () => Promise<void> };

async function serve(request: BackendsRequest): Promise<Servers> {
  const objects = await startObjects(request.folder);
  const postgres = await startPostgres({
    folder: request.folder,
    password: request.password,
    settings: { fsync: 'off', max_connections: String(request.maxConnections), log_min_messages: 'warning' },
  });
  return {
    ready: {
      type: 'ready',
      postgresPort: postgres.port,
      objectsPort: objects.port,
      postgresFolder: postgres.dataFolder,
      objectsFolder: objects.folder,
    },
    stop: async () => {
      await Promise.all([postgres.stop(), objects.stop()]);
    },
  };
}

process.once('message', (request: BackendsRequest) => {
  const serving = serve(request);
  serving.then(
    ({ ready }) => {
      reply(ready);
    },
    (error: unknown) => {
      reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    },
  );
  process.on('message', () => void serving.then(({ stop }) => stop()).then(() => process.exit(0)));
  // The parent was killed: nobody else is left to clear away.
  process.on('disconnect', () => {
    void serving
      .then(({ stop }) => stop())
      .then(() => rm(request.folder, { recursive: true, force: true, maxRetries: 5 }))
      .then(() => process.exit(0));
  });
});
