/** The KMS listener, from the config. */
import { kmsAccessKeys, kmsCertificates, kmsTls } from '../cli/options/kms.ts';
import type { KeysConfig, KmsConfig } from '../config/config.ts';
import type { AuditFeed } from '../keys/audit/forward/forwarder.ts';
import { recentRequests } from '../keys/audit/recent-requests.ts';
import type { KmsRegions } from '../kms/action.ts';
import { MAX_ANSWERED_LOG_BYTES, MAX_SKEW_MS } from '../kms/limits.ts';
import { KmsServer } from '../kms/server.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { renewing } from './certificate-renewal.ts';
import { ofListener } from './listener-certificates.ts';
import { listening } from './listening.ts';
import type { StartedPart } from './s3.ts';

export type KmsDeps = {
  readonly keys: KmsRegions & { readonly auditFeed: Pick<AuditFeed, 'path'> };
  readonly log: Log;
  readonly metrics: Metrics;
};

/** Errors: ERR_CLI_LISTEN. */
export async function startKms(kms: KmsConfig, { region, account }: KeysConfig, deps: KmsDeps): Promise<StartedPart> {
  const { keys, log, metrics } = deps;
  const { host, port, tls } = kms.listen;
  const server = new KmsServer({
    ...{ host, port, tls: tls && kmsTls(tls), keys, log },
    // A request is dated at most so long before or after its record.
    answeredBefore: recentRequests(keys.auditFeed.path, Date.now() - 2 * MAX_SKEW_MS, MAX_ANSWERED_LOG_BYTES),
    accessKeys: kmsAccessKeys(kms),
    certificates: kmsCertificates(kms),
    realm: { region, account },
    now: Date.now,
    onFinished: ({ action, result, code, milliseconds }) => {
      metrics.kmsRequest(action, result, milliseconds / 1000);
      if (code !== undefined) metrics.refused('kms', code);
    },
  });
  const taken = await listening('kms', kms.listen, () => server.listen());
  const stopRenewing = tls && renewing(ofListener('kms', tls, log, (now) => server.renew(kmsTls(now))));
  return {
    listener: { name: 'kms', host, port: taken, tls: tls !== undefined },
    part: {
      name: 'kms',
      stop: (remainingMs) => {
        stopRenewing?.();
        return server.close(remainingMs);
      },
    },
    // Whether keys can be used is asked of the key manager for all listeners.
    checks: [],
  };
}
