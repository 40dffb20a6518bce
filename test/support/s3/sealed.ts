/** Two gateways with one key manager in front of a real store, and clients: for tests of sealed buckets. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { AccessOptions } from '../../../src/keys/access/options.ts';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import type { GatewayOptions } from '../../../src/s3/operation.ts';
import type { S3RuleEntry } from '../../../src/s3/rules.ts';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES, type UpstreamCapabilities } from '../../../src/s3/upstream/capabilities.ts';
import { TEST_CA_PEM } from '../certificates.ts';
import { keyFolder, TEST_USE } from '../keys/keys.ts';
import { startRadosgw } from './radosgw.ts';
import { CLIENT, startEdge, type TestEdge } from './edge.ts';
import { startS3rver } from './s3rver.ts';

export type Backend = {
  readonly url: string;
  readonly directory: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
};

export const BUCKET = 'sealed';

export type BackendName = 's3rver' | 's3rver in a container' | 'radosgw';

/** The backend of this name, or why there is none. `isOwn`: Ceph RGW is not one that other suites use before or after. */
export async function startBackend(name: BackendName, isOwn = false): Promise<Backend | string> {
  if (name === 's3rver') return startS3rver({ buckets: [BUCKET] });
  // Loaded for those who want one: `testcontainers` is large, and few do.
  if (name === 's3rver in a container') return (await import('../containers/s3rver.ts')).startS3rverContainer([BUCKET]);
  const rgw = await startRadosgw(isOwn);
  if (rgw.type === 'none') return rgw.reason;
  const { endpoint, accessKeyId, secretAccessKey, directory } = rgw;
  return { url: endpoint, directory, accessKeyId, secretAccessKey, close: () => rgw.stop() };
}

export type SealedSetup = {
  readonly backend: Backend;
  readonly manager: KeyManager;
  readonly edges: readonly [TestEdge, TestEdge];
  /** Clients of the first and the second gateway. */
  readonly clients: readonly [S3Client, S3Client];
  /** Past the gateways, as whoever owns the disk. */
  readonly direct: S3Client;
  /** The audit log so far. */
  auditText(): Promise<string>;
  close(): Promise<void>;
};

export async function startSealed(
  backend: Backend,
  access?: AccessOptions,
  tls?: { readonly cert: string; readonly key: string },
  more: {
    readonly rule?: object;
    readonly options?: Partial<GatewayOptions>;
    readonly capabilities?: UpstreamCapabilities;
    readonly bucket?: string;
    readonly rules?: readonly S3RuleEntry[];
    readonly aliases?: readonly `alias/${string}`[];
  } = {},
): Promise<SealedSetup> {
  const keys = await keyFolder(access === undefined ? {} : { access });
  const manager = await keys.open();
  for (const alias of ['alias/a', ...(more.aliases ?? [])] as const) await manager.createKey({ alias }, TEST_USE);
  const options = {
    store: backend,
    rules: [
      {
        bucket: more.bucket ?? BUCKET,
        prefix: '',
        rule: { type: 'seal', keyId: 'alias/a', name: 'sealed', ...more.rule } as const,
      },
      ...(more.rules ?? []),
    ],
    options: more.options ?? {},
    // As where the configuration says nothing: the gateway finds out what the backend lacks.
    capabilities: more.capabilities ?? AWS_CAPABILITIES,
    operations: SEALED_OPERATIONS,
    dataKeys: manager,
    ...(access === undefined ? {} : { access }),
    ...(tls === undefined ? {} : { tls }),
  };
  const edges = [await startEdge(options), await startEdge(options)] as const;
  const client = (endpoint: string, credentials: { accessKeyId: string; secretAccessKey: string }): S3Client =>
    new S3Client({
      endpoint,
      region: 'us-east-1',
      credentials,
      forcePathStyle: true,
      maxAttempts: 1,
      ...(endpoint.startsWith('https:')
        ? { requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ ca: TEST_CA_PEM }) }) }
        : {}),
    });
  const clients = [client(edges[0].url, CLIENT), client(edges[1].url, CLIENT)] as const;
  const direct = client(backend.url, backend);
  const close = async (): Promise<void> => {
    for (const one of [...clients, direct]) one.destroy();
    await Promise.all(edges.map((edge) => edge.close()));
    await keys[Symbol.asyncDispose]();
  };
  const auditText = (): Promise<string> => readFile(keys.path('audit.log'), 'utf8');
  return { backend, manager, edges, clients, direct, auditText, close };
}

/** Bytes that no compression or chance makes look like others; `canary` stands at the beginning, all 64 KiB and the end. */
export function bytesWith(canary: string, length: number): Uint8Array {
  const bytes = randomBytes(length);
  for (let at = 0; at + canary.length <= length; at += 65_536) bytes.write(canary, at, 'latin1');
  if (length >= canary.length) bytes.write(canary, length - canary.length, 'latin1');
  return bytes;
}
