/** Starts a gateway in front of a store for tests of the S3 edge. */
import type { IdentitiesOptions } from '../../../src/keys/access/options.ts';
import { S3Authorizer } from '../../../src/keys/access/s3-authorizer.ts';
import type { S3AccessKey } from '../../../src/s3/auth/authenticate.ts';
import type { DataKeys } from '../../../src/keys/uses/data-keys.ts';
import type { OperationTable } from '../../../src/s3/decide.ts';
import type { ExchangeOutcome } from '../../../src/s3/edge/exchange.ts';
import { createGateway, type GatewayParts } from '../../../src/s3/gateway.ts';
import { NO_CONDITIONS } from '../../../src/s3/check-conditions.ts';
import type { GatewayContext, GatewayOptions, S3Log } from '../../../src/s3/operation.ts';
import type { S3RuleEntry } from '../../../src/s3/rules.ts';
import { S3Server } from '../../../src/s3/server.ts';
import { AWS_CAPABILITIES, type UpstreamCapabilities } from '../../../src/s3/upstream/capabilities.ts';
import { fixedCredentials } from '../../../src/sigv4/credentials.ts';
import { SeveralStores } from '../../../src/s3/upstream/several-stores.ts';
import { SigningClient } from '../../../src/s3/upstream/signing-client.ts';

export const CLIENT = {
  accessKeyId: 'CLIENTKEY',
  secretAccessKey: 'client secret',
  principal: 'arn:aws:iam::000000000000:user/app',
};

export type TestEdge = {
  readonly port: number;
  readonly url: string;
  readonly gateway: GatewayContext;
  readonly outcomes: ExchangeOutcome[];
  close(): Promise<void>;
};

/** What s3rver can do. */
export const S3RVER_CAPABILITIES: UpstreamCapabilities = {
  ...AWS_CAPABILITIES,
  multipartEtagCountsParts: false,
  ...NO_CONDITIONS,
  copyCondition: undefined,
  conditionalPartCopies: false,
  readByPartNumber: false,
  trailingChecksums: false,
  ownChecksum: 'none',
  listsParts: false,
  versioning: false,
  minPartBytes: 0,
};

/** No key is ever asked for where no rule seals. */
export const NO_KEYS = new Proxy({} as DataKeys, {
  get: (_target, name) => () => Promise.reject(new Error(`no key may be used here: ${String(name)}`)),
});

export const SILENT: S3Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields) => console.error(fields),
};

const OPEN: IdentitiesOptions = { identities: [], organizationPolicies: [], unlistedStorageCallers: 'use-keys' };

type TestStoreAccess = { readonly url: string; readonly accessKeyId: string; readonly secretAccessKey: string };

export async function startEdge(options: {
  readonly store: TestStoreAccess;
  readonly rules?: readonly S3RuleEntry[];
  readonly capabilities?: UpstreamCapabilities;
  readonly operations?: OperationTable;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly upstreamCa?: string;
  readonly dataKeys?: DataKeys;
  readonly now?: () => number;
  readonly maxConnections?: number;
  /** Policies of callers; none unless told. */
  readonly access?: IdentitiesOptions;
  readonly accessKeys?: readonly S3AccessKey[];
  readonly options?: Partial<GatewayOptions>;
  readonly bounds?: Partial<Pick<GatewayParts, 'maxBytesInFlight' | 'maxSegmentBytes' | 'waiting'>>;
  /** Stores beside `store`, and whose buckets they have. */
  readonly otherStores?: readonly { readonly buckets: readonly string[]; readonly store: TestStoreAccess }[];
}): Promise<TestEdge> {
  const now = options.now ?? Date.now;
  const upstreamTls = { ca: options.upstreamCa };
  const clientOf = (store: TestStoreAccess): SigningClient =>
    new SigningClient({
      endpoint: { url: new URL(store.url), addressing: 'path' },
      region: 'us-east-1',
      credentials: fixedCredentials(store),
      capabilities: options.capabilities ?? S3RVER_CAPABILITIES,
      now,
      maxConnections: options.maxConnections ?? 64,
      ...(options.upstreamCa === undefined ? {} : { tls: () => upstreamTls }),
    });
  const others = (options.otherStores ?? []).map(({ buckets, store }) => ({ buckets, store: clientOf(store) }));
  const usual = clientOf(options.store);
  const upstream = others.length === 0 ? usual : new SeveralStores(usual, others);
  const gateway = createGateway({
    upstream,
    dataKeys: options.dataKeys ?? NO_KEYS,
    rules: options.rules ?? [],
    options: {
      region: 'us-east-1',
      listSizes: 'head',
      defaultChecksum: 'none',
      emulateConditions: false,
      accountId: '000000000000',
      ...options.options,
    },
    log: SILENT,
    maxBytesInFlight: 64 * 1024 * 1024,
    now,
    ...options.bounds,
  });
  const outcomes: ExchangeOutcome[] = [];
  const server = new S3Server({
    host: '127.0.0.1',
    port: 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    accessKeys: options.accessKeys ?? [CLIENT],
    access: new S3Authorizer(options.access ?? OPEN, { region: 'us-east-1', account: '000000000000' }, now),
    region: 'us-east-1',
    virtualHostDomains: ['s3.test', 'localhost'],
    gateway,
    operations: options.operations ?? {},
    onFinished: (outcome) => outcomes.push(outcome),
  });
  const port = await server.listen();
  return {
    port,
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    gateway,
    outcomes,
    close: async () => {
      await server.close(1000);
      await upstream.close();
    },
  };
}
