/** `keys.remote`: files read, and what would send keys in clear, or name two masters, found. */
import type { RemoteKeysConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readPeerTls } from '../peer-tls.ts';
import type { Finding } from '../problem.ts';
import { resolveCredentials } from './credentials.ts';
import type { ConfigFile } from '../schema.ts';

const AT = ['keys', 'remote'] as const;

export async function resolveRemoteKeys(
  { keys, kms }: ConfigFile,
  files: ConfigFiles,
  findings: Finding[],
): Promise<RemoteKeysConfig | undefined> {
  const { remote } = keys;
  if (remote === undefined) return undefined;
  const { endpoint, region = keys.region, credentials, tls, timeoutSeconds } = remote;
  findings.push(...endpointFindings(endpoint));
  if (credentials === undefined && tls.clientCertificate === undefined)
    findings.push({
      code: 'ERR_CONFIG_VALUE',
      path: AT,
      at: 'key',
      message: 'expected `credentials`, or `tls.clientCertificate`: the remote key manager has to know who asks',
    });
  if (tls.crlFile !== undefined && tls.caFile === undefined)
    findings.push({
      code: 'ERR_CONFIG_VALUE',
      path: [...AT, 'tls', 'crlFile'],
      at: 'key',
      message: '`crlFile` is the list of one CA: `caFile` has to name it',
    });
  if (kms !== undefined)
    findings.push({
      code: 'ERR_CONFIG_CONTRADICTION',
      path: ['kms'],
      other: AT,
      at: 'key',
      message: 'the KMS listener serves the keys of this store, and `keys.remote` says that they are elsewhere',
    });
  return {
    ...{ endpoint, region, timeoutSeconds },
    credentials: credentials && (await resolveCredentials(credentials, files, [...AT, 'credentials'])),
    tls: await readPeerTls({ ...tls, ...tls.clientCertificate }, files, [...AT, 'tls'], {
      client: [...AT, 'tls', 'clientCertificate'],
    }),
  };
}

function endpointFindings(endpoint: string): readonly Finding[] {
  const url = new URL(endpoint);
  const finding = (message: string): readonly Finding[] => [
    { code: 'ERR_CONFIG_VALUE', path: [...AT, 'endpoint'], at: 'value', message },
  ];
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '')
    return finding('expected only scheme, host and port; credentials stand in `credentials`');
  // What is answered are keys.
  if (url.protocol === 'http:' && !isThisMachine(url.hostname))
    return finding('expected https: data keys come over this connection');
  return [];
}

const isThisMachine = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(host);
