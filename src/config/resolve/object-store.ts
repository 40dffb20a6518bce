/** The object stores behind the gateway, from the file's form: `upstream`, and those of `otherUpstreams` with their buckets. */
import type { ObjectStoreConfig, S3Config } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readPeerTls } from '../peer-tls.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';
import { resolveCredentials } from './credentials.ts';

type Section = NonNullable<ConfigFile['s3']>;
type Tools = { readonly files: ConfigFiles; readonly findings: Finding[] };

export async function resolveStore(
  store: Section['upstream'],
  at: ConfigPath,
  { files, findings }: Tools,
): Promise<ObjectStoreConfig> {
  const { endpoint, region, addressing, credentials, tls, capabilities, checksum } = store;
  findings.push(...endpointFindings(endpoint, at));
  return {
    endpoint,
    region,
    addressing,
    credentials: await resolveCredentials(credentials, files, [...at, 'credentials']),
    tls: await readPeerTls(tls ?? {}, files, [...at, 'tls']),
    capabilities: {
      unsignedPayload: capabilities.unsignedPayload,
      metadataBytes: capabilities.metadataBytes,
      trailingChecksums: capabilities.trailingChecksums ?? isAmazon(endpoint),
      ownChecksum: checksum ?? (isAmazon(endpoint) ? 'crc32' : 'none'),
    },
  };
}

export async function resolveOtherStores(
  stores: Section['otherUpstreams'],
  tools: Tools,
): Promise<S3Config['otherUpstreams']> {
  const resolved = [];
  for (const [index, { buckets, ...store }] of stores.entries())
    resolved.push({ ...(await resolveStore(store, ['s3', 'otherUpstreams', index], tools)), buckets });
  tools.findings.push(...twiceNamed(stores));
  return resolved;
}

const isAmazon = (endpoint: string): boolean => /\.amazonaws\.com(?:\.cn)?$/u.test(new URL(endpoint).hostname);

function endpointFindings(endpoint: string, at: ConfigPath): readonly Finding[] {
  const { search, hash, username, password } = new URL(endpoint);
  if (search === '' && hash === '' && username === '' && password === '') return [];
  return [
    {
      code: 'ERR_CONFIG_VALUE',
      path: [...at, 'endpoint'],
      at: 'value',
      message: 'expected only scheme, host, port and path; credentials stand in `credentials`',
    },
  ];
}

/** A bucket lies in one store. */
function twiceNamed(stores: Section['otherUpstreams']): readonly Finding[] {
  const seen = new Map<string, ConfigPath>();
  return stores.flatMap(({ buckets }, store) =>
    buckets.flatMap((name, index): readonly Finding[] => {
      const path: ConfigPath = ['s3', 'otherUpstreams', store, 'buckets', index];
      const other = seen.get(name);
      if (other === undefined) {
        seen.set(name, path);
        return [];
      }
      return [
        {
          code: 'ERR_CONFIG_CONTRADICTION',
          path,
          other,
          at: 'value',
          message: `where \`${name}\` lies is said already`,
        },
      ];
    }),
  );
}
