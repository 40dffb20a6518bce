/** The PostgreSQL servers that the config names: clients' upstreams, and what the proxy's own connections say otherwise. */
import { getCACertificates } from 'node:tls';
import type { PostgresServerConfig, PostgresTlsConfig } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readPeerTls } from '../peer-tls.ts';
import { parsePostgresAddress, type PostgresAddress } from './postgres-address.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';

type Section = NonNullable<ConfigFile['postgres']>;
export type UpstreamFile = Section['upstream'];
type FileTls = UpstreamFile['tls'];

const DEFAULT_PORT = 5432;

export type Tools = { readonly files: ConfigFiles; readonly findings: Finding[] };

export async function resolveUpstream(
  upstream: UpstreamFile,
  at: ConfigPath,
  { files, findings }: Tools,
): Promise<PostgresServerConfig> {
  const url = upstream.url === undefined ? undefined : readAddress(upstream.url, [...at, 'url'], findings);
  if (url?.user !== undefined || url?.database !== undefined) {
    const message =
      'expected only servers: clients bring user and database; the connection of Sealgate itself stands in `databases[].service`';
    findings.push({ code: 'ERR_CONFIG_VALUE', path: [...at, 'url'], at: 'value', message });
  }
  const portInUrl = url?.namesPort === true ? url.servers : undefined;
  findings.push(...twice(upstream.port, portInUrl, [...at, 'port'], 'port'));
  const socket = upstream.socket === undefined ? undefined : files.absolute(upstream.socket);
  const one = { host: socket ?? upstream.host ?? 'localhost', address: undefined, port: upstream.port ?? DEFAULT_PORT };
  const servers = url?.servers.map((server) => ({ ...server, port: upstream.port ?? server.port })) ?? [one];
  return {
    servers,
    tls: await resolveTls(upstream.tls, url, [...at, 'tls'], { files, findings }),
    target: url?.target ?? 'any',
    order: url?.order ?? 'listed',
    connectTimeoutSeconds: url?.connectTimeoutSeconds,
  };
}

/** The string's parts; where it is wrong a finding, and nothing that later steps could stumble over. */
export function readAddress(text: string, at: ConfigPath, findings: Finding[]): PostgresAddress | undefined {
  const address = parsePostgresAddress(text);
  if (!('problem' in address)) return address;
  findings.push({ code: 'ERR_CONFIG_VALUE', path: at, at: 'value', message: address.problem });
  return undefined;
}

export function twice(value: unknown, fromUrl: unknown, path: ConfigPath, name: string): readonly Finding[] {
  if (value === undefined || fromUrl === undefined) return [];
  return [{ code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message: `\`url\` gives the ${name} already` }];
}

/** Section `tls` and what the URL says of it: each thing once. */
export async function resolveTls(
  tls: FileTls,
  url: PostgresAddress | undefined,
  at: ConfigPath,
  { files, findings }: Tools,
): Promise<PostgresTlsConfig> {
  findings.push(
    ...twice(tls?.mode, url?.sslmode, [...at, 'mode'], 'sslmode'),
    ...twice(tls?.caFile, url?.rootCert, [...at, 'caFile'], 'sslrootcert'),
    ...twice(tls?.certFile, url?.cert, [...at, 'certFile'], 'sslcert'),
  );
  const caFile = tls?.caFile ?? url?.rootCert;
  const named = {
    ...(caFile === SYSTEM ? {} : { caFile }),
    certFile: tls?.certFile ?? url?.cert,
    keyFile: tls?.keyFile ?? url?.key,
  };
  const peer = await readPeerTls(named, files, at, {
    ca: tls?.caFile === undefined ? [...at.slice(0, -1), 'url'] : [...at, 'caFile'],
    client: tls?.certFile === undefined ? at.slice(0, -1) : at,
  });
  return {
    ...peer,
    ...(caFile === SYSTEM && { ca: getCACertificates('system').join('\n') }),
    mode: url?.sslmode ?? tls?.mode ?? 'prefer',
    direct: url?.direct ?? false,
  };
}

/** In place of a file: the authorities of the system. */
const SYSTEM = 'system';
