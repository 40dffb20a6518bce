/** The S3 gateway, from the config. */
import { accessOptions } from '../cli/options/keys.ts';
import { openUpstream, s3RuleEntries, s3Tls } from '../cli/options/s3.ts';
import type { Config, S3Config } from '../config/config.ts';
import { clientPrincipal } from '../config/principals.ts';
import { keysOf } from '../config/bucket-rules.ts';
import { S3Authorizer } from '../keys/access/s3-authorizer.ts';
import type { DataKeys } from '../keys/uses/data-keys.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { ReadinessCheck } from '../observe/readiness.ts';
import type { S3AccessKey } from '../s3/auth/authenticate.ts';
import type { ExchangeOutcome } from '../s3/edge/exchange.ts';
import { createGateway } from '../s3/gateway.ts';
import type { GatewayContext } from '../s3/operation.ts';
import { SEALED_OPERATIONS } from '../s3/operations/index-table.ts';
import { S3Server } from '../s3/server.ts';
import type { ObjectStore, UpstreamClient } from '../s3/upstream/client.ts';
import { renewing } from './certificate-renewal.ts';
import { ofListener } from './listener-certificates.ts';
import { listening } from './listening.ts';
import type { Part } from './lifecycle.ts';
import type { TlsNow } from '../cli/options/peer-tls.ts';
import type { RunningListener } from '../cli/start.ts';
import { requireRuleKeys } from './rule-keys.ts';

/** What all requests may hold in memory together: 64 transfers with room to spare, under the process's 300 MiB. */
const MAX_BYTES_IN_FLIGHT = 128 * 1024 * 1024;

export type GatewayDeps = {
  readonly dataKeys: DataKeys;
  readonly log: Log;
  readonly metrics: Metrics;
  /** What the gateway and the proxy connect with. */
  readonly tlsNow: TlsNow;
  /** Other processes of ours listen on the same ports. */
  readonly sharesPorts?: boolean;
};
export type StartedPart = {
  readonly listener: RunningListener;
  readonly part: Part;
  readonly checks: readonly ReadinessCheck[];
};

function accessKeys({ clients }: S3Config, account: string): readonly S3AccessKey[] {
  return clients.map(({ name, accessKeyId, secretAccessKey, sessionToken, expiresAt }) => ({
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    principal: clientPrincipal(account, name),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }));
}

function gatewayContext(
  s3: S3Config,
  account: string,
  upstream: UpstreamClient,
  { dataKeys, log }: GatewayDeps,
): GatewayContext {
  return createGateway({
    upstream,
    dataKeys,
    rules: s3RuleEntries(s3),
    options: {
      region: s3.region,
      listSizes: s3.listSizes,
      defaultChecksum: s3.defaultChecksum,
      emulateConditions: s3.emulateConditions,
      accountId: account,
      customerKeysWithoutTls: s3.customerKeysWithoutTls,
    },
    log,
    maxBytesInFlight: MAX_BYTES_IN_FLIGHT,
  });
}

function observer({ metrics, log }: GatewayDeps): (outcome: ExchangeOutcome) => void {
  return ({ operation, status, code, milliseconds, principal }) => {
    metrics.s3Request(operation, status, milliseconds / 1000);
    if (code !== undefined) metrics.refused('s3', code);
    log.debug({ operation, status, code, milliseconds, principal }, 's3 request');
  };
}

/** Errors: ERR_CLI_LISTEN; those of the keys that rules name. */
export async function startGateway(s3: S3Config, config: Config, deps: GatewayDeps): Promise<StartedPart> {
  await requireRuleKeys(
    deps.dataKeys,
    s3.buckets.flatMap(({ bucket, prefix, outcome }) =>
      keysOf(outcome).map((keyId) => ({ keyId, rule: `bucket ${bucket}${prefix === '' ? '' : `, prefix ${prefix}`}` })),
    ),
  );
  const upstream = openUpstream(s3, deps.tlsNow);
  const { host, port, tls } = s3.listen;
  const server = new S3Server({
    host,
    port,
    sharesPort: deps.sharesPorts,
    ...(tls === undefined ? {} : { tls: s3Tls(tls) }),
    accessKeys: accessKeys(s3, config.keys.account),
    access: new S3Authorizer(accessOptions(config.keys.access), config.keys, Date.now),
    region: s3.region,
    virtualHostDomains: s3.hosts,
    gateway: gatewayContext(s3, config.keys.account, upstream, deps),
    operations: SEALED_OPERATIONS,
    onFinished: observer(deps),
  });
  try {
    const taken = await listening('s3', s3.listen, () => server.listen());
    const stopRenewing = tls && renewing(ofListener('s3', tls, deps.log, (now) => server.renew(s3Tls(now))));
    return {
      listener: { name: 's3', host, port: taken, tls: tls !== undefined },
      part: {
        name: 's3',
        stop: (remainingMs) => {
          stopRenewing?.();
          return stopGateway(server, upstream, remainingMs);
        },
      },
      checks: upstream.stores.map((store, index) => ({
        // Whoever asks is not told where they are.
        name: index === 0 ? 's3 upstream' : `s3 upstream ${index + 1}`,
        check: (signal) => reachStore(store, signal),
      })),
    };
  } catch (error) {
    await upstream.close();
    throw error;
  }
}

async function stopGateway(server: S3Server, upstream: UpstreamClient, remainingMs: number): Promise<void> {
  await server.close(remainingMs);
  await upstream.close();
}

/** Any answer will do: whether somebody answers is the question. */
async function reachStore(store: ObjectStore, signal: AbortSignal): Promise<void> {
  const { body } = await store.send({ method: 'GET', signal });
  await body.release();
}
