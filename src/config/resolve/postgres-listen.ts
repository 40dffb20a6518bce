/** Where clients of the Postgres proxy connect to. */
import type { PostgresConfig } from '../config.ts';
import { readListenTls } from '../listen-tls.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { Tools } from './postgres-server.ts';
import type { ConfigFile } from '../schema.ts';

type ListenFile = NonNullable<ConfigFile['postgres']>['listen'];

const AT: ConfigPath = ['postgres', 'listen'];
const DEFAULT_HOST = '127.0.0.1';

export async function resolvePostgresListen(
  { host, port, socket, tls }: ListenFile,
  tools: Tools,
): Promise<PostgresConfig['listen']> {
  const folder = socket === undefined ? undefined : tools.files.absolute(socket);
  if (folder !== undefined && port === 0) {
    const message = 'a Unix socket has the port in its name: give one, such as 5432';
    tools.findings.push({ code: 'ERR_CONFIG_CONTRADICTION', path: [...AT, 'port'], at: 'value', message });
  }
  return {
    host: host ?? (folder === undefined ? DEFAULT_HOST : undefined),
    port,
    socket: folder,
    tls: tls === undefined ? undefined : await resolveListenTls(tls, tools),
  };
}

async function resolveListenTls(
  tls: NonNullable<ListenFile['tls']>,
  { files, findings }: Tools,
): Promise<PostgresConfig['listen']['tls']> {
  const at = [...AT, 'tls'];
  const { clientCaFile, clientCrlFile, required } = tls;
  if (clientCaFile === undefined && clientCrlFile !== undefined)
    findings.push(needsAuthority([...at, 'clientCrlFile']));
  return { ...(await readListenTls(tls, files, at)), required };
}

function needsAuthority(path: ConfigPath): Finding {
  const message = '`clientCaFile` says what client certificates are checked with';
  return { code: 'ERR_CONFIG_CONTRADICTION', path, at: 'key', message };
}
