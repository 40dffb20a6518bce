/** The KMS listener, from the config. */
import { kmsAccessKeys, kmsCertificates, kmsTls } from '../cli/options/kms.ts';
import type { KeysConfig, KmsConfig } from '../config/config.ts';
import type { KmsRegions } from '../kms/action.ts';
import { KmsServer } from '../kms/server.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { listening } from './listening.ts';
import type { StartedPart } from './s3.ts';

export type KmsDeps = { readonly keys: KmsRegions; readonly log: Log; readonly metrics: Metrics };

/** Errors: ERR_CLI_LISTEN. */
export async function startKms(kms: KmsConfig, { region, account }: KeysConfig, deps: KmsDeps): Promise<StartedPart> {
  const { keys, log, metrics } = deps;
  const { host, port } = kms.listen;
  const tls = kmsTls(kms);
  const server = new KmsServer({
    ...{ host, port, tls, keys, log },
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
  return {
    listener: { name: 'kms', host, port: taken, tls: tls !== undefined },
    part: { name: 'kms', stop: (remainingMs) => server.close(remainingMs) },
    // Whether keys can be used is asked of the key manager for all listeners.
    checks: [],
  };
}
