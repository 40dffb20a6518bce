/** From the config's `s3` section to the gateway's upstream and rules. */
import type { ObjectStoreConfig, S3Config } from '../../config/config.ts';
import type { ListenTlsConfig } from '../../config/listen-tls.ts';
import type { S3RuleEntry } from '../../s3/rules.ts';
import type { S3Tls } from '../../s3/server.ts';
import { AWS_CAPABILITIES } from '../../s3/upstream/capabilities.ts';
import { noUpstreamCredentials } from '../../s3/upstream/no-credentials.ts';
import type { UpstreamClient } from '../../s3/upstream/client.ts';
import { SeveralStores } from '../../s3/upstream/several-stores.ts';
import { SigningClient, type SigningClientOptions } from '../../s3/upstream/signing-client.ts';
import { ownCredentials } from './credentials.ts';
import { asRead, type TlsNow } from './peer-tls.ts';

/** Sockets to the object store at most; each carries one request at a time. */
const MAX_UPSTREAM_CONNECTIONS = 256;

export function s3RuleEntries(s3: S3Config): readonly S3RuleEntry[] {
  return s3.buckets.map(({ bucket, prefix, outcome, allowAround }) => {
    const name = `${bucket}/${prefix}`;
    return { bucket, prefix, rule: { ...outcome, name }, ...(allowAround === undefined ? {} : { allowAround }) };
  });
}

export const s3Tls = ({ certificate, privateKey }: ListenTlsConfig): S3Tls => ({
  cert: certificate,
  key: privateKey.reveal(),
});

export function upstreamOptions(store: ObjectStoreConfig, tlsNow: TlsNow = asRead): SigningClientOptions {
  const { endpoint, addressing, region, tls, capabilities } = store;
  return {
    endpoint: { url: new URL(endpoint), addressing },
    region,
    credentials: ownCredentials(store.credentials, region, noUpstreamCredentials),
    // What else the store can do, the gateway finds out by trying.
    capabilities: { ...AWS_CAPABILITIES, ...capabilities },
    now: Date.now,
    maxConnections: MAX_UPSTREAM_CONNECTIONS,
    tls: tlsNow(tls),
  };
}

/** The client that signs towards the object stores. */
export function openUpstream({ upstream, otherUpstreams }: S3Config, tlsNow?: TlsNow): UpstreamClient {
  const usual = new SigningClient(upstreamOptions(upstream, tlsNow));
  if (otherUpstreams.length === 0) return usual;
  const others = otherUpstreams.map(({ buckets, ...store }) => ({
    buckets,
    store: new SigningClient(upstreamOptions(store, tlsNow)),
  }));
  return new SeveralStores(usual, others);
}
