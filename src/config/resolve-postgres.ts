/** Section `postgres`, from the file's form to the room's. */
import { readColumnRules } from './column-rules.ts';
import type { PostgresConfig, PostgresServerConfig, PostgresServiceConfig, PostgresTlsConfig } from './config.ts';
import type { ConfigFiles } from './files.ts';
import { parsePostgresUrl, type PostgresUrl } from './postgres-url.ts';
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigFile } from './schema.ts';
import { Secret } from './secret.ts';

type Section = NonNullable<ConfigFile['postgres']>;
type FileTls = Section['upstream']['tls'];

const DEFAULT_PORT = 5432;

export async function resolvePostgres(
  section: Section,
  files: ConfigFiles,
  findings: Finding[],
): Promise<PostgresConfig> {
  const { rules, findings: ruleFindings } = readColumnRules(section, ['postgres']);
  findings.push(...ruleFindings, ...repeatedNames(section));
  const upstream = await resolveUpstream(section.upstream, files, findings);
  const databases = [];
  for (const [index, database] of section.databases.entries()) {
    const at = ['postgres', 'databases', index, 'service'];
    databases.push({
      name: database.name,
      allowRoutines: database.allowRoutines,
      service: await resolveService(database, upstream, at, { files, findings }),
    });
  }
  const users = [];
  for (const [index, user] of section.users.entries()) {
    const verifier = await files.secretOf(user, 'verifier', ['postgres', 'users', index]);
    users.push({ name: user.name, verifier: verifier ?? new Secret('') });
  }
  const { listen, authentication } = section;
  return { listen: await resolveListen(listen, files), upstream, authentication, users, databases, columns: rules };
}

async function resolveListen(listen: Section['listen'], files: ConfigFiles): Promise<PostgresConfig['listen']> {
  const { host, port, tls } = listen;
  if (tls === undefined) return { host, port, tls };
  const at = ['postgres', 'listen', 'tls'];
  const clientCa =
    tls.clientCaFile === undefined ? undefined : await files.pem(tls.clientCaFile, [...at, 'clientCaFile']);
  return { host, port, tls: { ...(await files.certificate(tls, at)), required: tls.required, clientCa } };
}

async function resolveTls(
  tls: FileTls,
  urlMode: PostgresTlsConfig['mode'] | undefined,
  files: ConfigFiles,
  at: ConfigPath,
): Promise<PostgresTlsConfig> {
  const { certFile, keyFile, caFile } = tls ?? {};
  return {
    mode: urlMode ?? tls?.mode ?? 'prefer',
    ca: caFile === undefined ? undefined : await files.pem(caFile, [...at, 'caFile']),
    client:
      certFile === undefined || keyFile === undefined ? undefined : await files.certificate({ certFile, keyFile }, at),
  };
}

/** The URL's parts; where it is wrong a finding, and parts that keep later steps quiet. */
function readUrl(text: string, at: ConfigPath, findings: Finding[]): PostgresUrl | undefined {
  const url = parsePostgresUrl(text);
  if (!('problem' in url)) return url;
  findings.push({ code: 'ERR_CONFIG_VALUE', path: at, at: 'value', message: url.problem });
  return undefined;
}

async function resolveUpstream(
  upstream: Section['upstream'],
  files: ConfigFiles,
  findings: Finding[],
): Promise<PostgresServerConfig> {
  const at = ['postgres', 'upstream'];
  const url = upstream.url === undefined ? undefined : readUrl(upstream.url, [...at, 'url'], findings);
  if (url?.user !== undefined || url?.database !== undefined) {
    const message =
      'expected only host and port: clients bring user and database; the connection of Sealgate itself stands in `databases[].service`';
    findings.push({ code: 'ERR_CONFIG_VALUE', path: [...at, 'url'], at: 'value', message });
  }
  findings.push(
    ...twice(upstream.port, url?.port, [...at, 'port'], 'port'),
    ...twice(upstream.tls?.mode, url?.sslmode, [...at, 'tls', 'mode'], 'sslmode'),
  );
  const socket = upstream.socket === undefined ? undefined : files.absolute(upstream.socket);
  return {
    host: socket ?? upstream.host ?? url?.host ?? 'localhost',
    port: upstream.port ?? url?.port ?? DEFAULT_PORT,
    tls: await resolveTls(upstream.tls, url?.sslmode, files, [...at, 'tls']),
  };
}

function twice(value: unknown, fromUrl: unknown, path: ConfigPath, name: string): readonly Finding[] {
  if (value === undefined || fromUrl === undefined) return [];
  return [{ code: 'ERR_CONFIG_CONTRADICTION', path, at: 'value', message: `\`url\` gives the ${name} already` }];
}

type Tools = { readonly files: ConfigFiles; readonly findings: Finding[] };

async function resolveService(
  { name, service }: Section['databases'][number],
  upstream: PostgresServerConfig,
  at: ConfigPath,
  { files, findings }: Tools,
): Promise<PostgresServiceConfig> {
  const url = service.url === undefined ? undefined : readUrl(service.url, [...at, 'url'], findings);
  if (url?.database !== undefined && url.database !== name) {
    const message = `the URL names another database than ${JSON.stringify(name)}`;
    findings.push({
      code: 'ERR_CONFIG_CONTRADICTION',
      path: [...at, 'url'],
      other: [...at.slice(0, -1), 'name'],
      at: 'value',
      message,
    });
  }
  if (url !== undefined && url.user === undefined) {
    findings.push({
      code: 'ERR_CONFIG_VALUE',
      path: [...at, 'url'],
      at: 'value',
      message: 'expected a user in the URL: postgres://user@host/database',
    });
  }
  const password = await files.secretOf(service, 'password', at);
  findings.push(
    ...twice(
      password,
      url?.password,
      [...at, service.password === undefined ? 'passwordFile' : 'password'],
      'password',
    ),
  );
  findings.push(...twice(service.tls?.mode, url?.sslmode, [...at, 'tls', 'mode'], 'sslmode'));
  const ownTls = service.tls !== undefined || url !== undefined;
  return {
    host: url?.host ?? upstream.host,
    port: url === undefined ? upstream.port : (url.port ?? DEFAULT_PORT),
    user: url?.user ?? service.user ?? '',
    password: password ?? (url?.password === undefined ? undefined : new Secret(url.password)),
    database: name,
    tls: ownTls ? await resolveTls(service.tls, url?.sslmode, files, [...at, 'tls']) : upstream.tls,
  };
}

function repeatedNames(section: Section): readonly Finding[] {
  const findings: Finding[] = [];
  for (const list of ['databases', 'users'] as const) {
    const names = section[list].map(({ name }) => name);
    for (const [index, name] of names.entries()) {
      const first = names.indexOf(name);
      const place = (at: number): ConfigPath => ['postgres', list, at, 'name'];
      if (first < index)
        findings.push({
          code: 'ERR_CONFIG_CONTRADICTION',
          path: place(index),
          other: place(first),
          at: 'value',
          message: 'the same name a second time',
        });
    }
  }
  return findings;
}
