/** A real S3 server for tests: `@20minutes/s3rver` in process, on a free loopback port, over a directory of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TestStore = {
  /** `http://127.0.0.1:port` (`https://` with TLS). */
  readonly url: string;
  /** Where its files lie: tests look here for plaintext. */
  readonly directory: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
};

type S3rverServer = {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
  httpServer: { closeAllConnections(): void };
};
type S3rverClass = new (options: object) => S3rverServer;

export async function startS3rver(
  options: {
    readonly buckets?: readonly string[];
    readonly tls?: { readonly cert: string; readonly key: string };
  } = {},
): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-s3rver-'));
  // The package has no types.
  const module = (await import('@20minutes/s3rver')) as { default: S3rverClass };
  const server = new module.default({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: (options.buckets ?? []).map((name) => ({ name })),
    ...options.tls,
  });
  const { port } = await server.run();
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    directory,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    close: async () => {
      server.httpServer.closeAllConnections();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
