/** From the file's form to the rooms': paths made absolute, files read, rules compiled. Each section gathers its findings. */
import { checkBucketRules, type BucketOutcome } from './bucket-rules.ts';
import type { Config, KeysConfig, ListenConfig, S3Config, UnsealConfig } from './config.ts';
import type { ConfigFiles } from './files.ts';
import { keyPathFindings } from './key-paths.ts';
import { managedKeyFindings } from './managed-key-findings.ts';
import type { ConfigPath, Finding } from './problem.ts';
import { resolveAccess, type CheckPolicy } from './resolve-access.ts';
import { resolveAudit } from './resolve-audit.ts';
import { resolveCredentials } from './resolve-credentials.ts';
import { resolveKeyLife, type CheckLifeRule } from './resolve-key-life.ts';
import { resolveKms } from './resolve-kms.ts';
import { resolvePostgres } from './resolve-postgres.ts';
import { resolveRemoteKeys } from './resolve-remote-keys.ts';
import type { ConfigFile } from './schema.ts';
import { Secret } from './secret.ts';

type FileSection<Name extends keyof ConfigFile> = NonNullable<ConfigFile[Name]>;

export async function resolveConfig(
  file: ConfigFile,
  configPath: string,
  files: ConfigFiles,
  { checkPolicy, checkLifeRule }: { readonly checkPolicy: CheckPolicy; readonly checkLifeRule: CheckLifeRule },
): Promise<{ config: Config; findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const access = await resolveAccess(file.keys.access, file.keys.account, { files, checkPolicy, findings });
  const audit = await resolveAudit(file.keys.audit, files, findings);
  const remote = await resolveRemoteKeys(file, files, findings);
  const life = resolveKeyLife(file.keys.life, checkLifeRule, findings);
  const keys = resolveKeys(file.keys, { access, audit, life, remote }, files);
  findings.push(...keyPathFindings(keys, configPath), ...unknownClientFindings(file), ...managedKeyFindings(file));
  const config: Config = {
    file: configPath,
    keys,
    kms: file.kms === undefined ? undefined : await resolveKms(file.kms, file.keys.account, files, findings),
    s3: file.s3 === undefined ? undefined : await resolveS3(file.s3, files, findings),
    postgres: file.postgres === undefined ? undefined : await resolvePostgres(file.postgres, files, findings),
    observe: { listen: file.observe.listen, log: file.observe.log },
    workers: file.workers,
  };
  return { config, findings: [...findings, ...files.findings] };
}

function resolveKeys(
  keys: FileSection<'keys'>,
  { access, audit, life, remote }: Pick<KeysConfig, 'access' | 'audit' | 'life' | 'remote'>,
  files: ConfigFiles,
): KeysConfig {
  const { region, otherRegions, account, cache } = keys;
  return {
    store: files.absolute(keys.store),
    epochFile: keys.epochFile === undefined ? undefined : files.absolute(keys.epochFile),
    region,
    otherRegions,
    account,
    cache,
    unseal: keys.unseal.map((slot): UnsealConfig => {
      if (slot.type === 'keyFile') return { type: 'keyFile', path: files.absolute(slot.path) };
      // The schema has made sure of exactly one of the two.
      if (slot.passphraseFile !== undefined)
        return { type: 'passphraseFile', path: files.absolute(slot.passphraseFile) };
      return { type: 'passphrase', passphrase: new Secret(slot.passphrase ?? '') };
    }),
    audit,
    life,
    alarm: { decryptionsPerMinute: keys.alarm.decryptionsPerMinute },
    access,
    remote,
  };
}

/** A misspelt name would leave the client meant with the default rights. A command that reads `keys` alone cannot tell. */
function unknownClientFindings({ keys, s3, kms }: ConfigFile): readonly Finding[] {
  if (s3 === undefined && kms === undefined) return [];
  const known = [...new Set([...(s3?.clients ?? []), ...(kms?.clients ?? [])].map(({ name }) => name))];
  return keys.access.identities.flatMap(({ client }, index) =>
    client === undefined || known.includes(client)
      ? []
      : [
          {
            code: 'ERR_CONFIG_VALUE',
            path: ['keys', 'access', 'identities', index, 'client'],
            at: 'value',
            message: `no client has this name; expected one of ${known.map((name) => `\`${name}\``).join(', ')}`,
          } as const,
        ],
  );
}

async function resolveListen(
  listen: FileSection<'s3'>['listen'],
  files: ConfigFiles,
  at: ConfigPath,
): Promise<ListenConfig> {
  const tls = listen.tls === undefined ? undefined : await files.certificate(listen.tls, [...at, 'tls']);
  return { host: listen.host, port: listen.port, tls };
}

async function resolveS3(s3: FileSection<'s3'>, files: ConfigFiles, findings: Finding[]): Promise<S3Config> {
  const { endpoint, region, addressing, credentials, tls, capabilities, checksum } = s3.upstream;
  const buckets = s3.buckets.map(({ bucket, prefix, allowAround, ...rule }) => ({
    bucket,
    prefix,
    outcome: outcomeOf(rule),
    ...(allowAround.length === 0 ? {} : { allowAround }),
  }));
  findings.push(
    ...checkBucketRules(buckets, ['s3', 'buckets']),
    ...endpointFindings(endpoint),
    ...clientFindings(s3.clients),
    ...sealOnlyFindings(s3.buckets),
    ...anonymousFindings(s3.buckets),
  );
  const clients = [];
  for (const [index, client] of s3.clients.entries()) {
    const secret = await files.secretOf(client, 'secretAccessKey', ['s3', 'clients', index]);
    const { name, accessKeyId, expires } = client;
    clients.push({
      name,
      accessKeyId,
      secretAccessKey: secret ?? new Secret(''),
      sessionToken: await files.secretOf(client, 'sessionToken', ['s3', 'clients', index]),
      expiresAt: expires === undefined ? undefined : Date.parse(expires),
    });
  }
  return {
    listen: await resolveListen(s3.listen, files, ['s3', 'listen']),
    hosts: s3.hosts,
    region: s3.region,
    upstream: {
      endpoint,
      region,
      addressing,
      credentials: await resolveCredentials(credentials, files, ['s3', 'upstream', 'credentials']),
      ca: tls === undefined ? undefined : await files.pem(tls.caFile, ['s3', 'upstream', 'tls', 'caFile']),
      capabilities: {
        unsignedPayload: capabilities.unsignedPayload,
        metadataBytes: capabilities.metadataBytes,
        trailingChecksums: capabilities.trailingChecksums ?? isAmazon(endpoint),
        ownChecksum: checksum ?? (isAmazon(endpoint) ? 'crc32' : 'none'),
      },
    },
    clients,
    buckets,
    listSizes: s3.listSizes,
    defaultChecksum: s3.defaultChecksum,
    customerKeysWithoutTls: s3.customerKeysWithoutTls,
    emulateConditions: s3.emulateConditions,
  };
}

const isAmazon = (endpoint: string): boolean => /\.amazonaws\.com(?:\.cn)?$/u.test(new URL(endpoint).hostname);

function outcomeOf(
  rule: Omit<FileSection<'s3'>['buckets'][number], 'bucket' | 'prefix' | 'allowAround'>,
): BucketOutcome {
  const anonymous = rule.anonymous === undefined ? {} : { anonymous: rule.anonymous };
  if (rule.seal !== undefined) {
    const { bucketId, allowedKeys, customerKeys, shownAs } = rule;
    return {
      type: 'seal',
      keyId: rule.seal,
      ...(bucketId === undefined ? {} : { bucketId }),
      ...(allowedKeys === undefined ? {} : { allowedKeys }),
      ...(customerKeys === undefined ? {} : { customerKeys }),
      ...(shownAs === undefined ? {} : { shownAs }),
      ...anonymous,
    };
  }
  return rule.pass === true ? { type: 'pass', ...anonymous } : { type: 'refuse' };
}

function endpointFindings(endpoint: string): readonly Finding[] {
  const { search, hash, username, password } = new URL(endpoint);
  if (search === '' && hash === '' && username === '' && password === '') return [];
  return [
    {
      code: 'ERR_CONFIG_VALUE',
      path: ['s3', 'upstream', 'endpoint'],
      at: 'value',
      message: 'expected only scheme, host, port and path; credentials stand in `credentials`',
    },
  ];
}

function clientFindings(clients: FileSection<'s3'>['clients']): readonly Finding[] {
  const twice = clients.flatMap(({ sessionToken, sessionTokenFile }, index): readonly Finding[] =>
    sessionToken === undefined || sessionTokenFile === undefined
      ? []
      : [
          {
            code: 'ERR_CONFIG_CONTRADICTION',
            path: ['s3', 'clients', index, 'sessionTokenFile'],
            at: 'key',
            message: '`sessionToken` says it already',
          },
        ],
  );
  return [...twice, ...sameKeyTwice(clients)];
}

function sameKeyTwice(clients: FileSection<'s3'>['clients']): readonly Finding[] {
  return clients.flatMap(({ accessKeyId }, index) => {
    const first = clients.findIndex((client) => client.accessKeyId === accessKeyId);
    if (first === index) return [];
    const place = (at: number): ConfigPath => ['s3', 'clients', at, 'accessKeyId'];
    return [
      {
        code: 'ERR_CONFIG_CONTRADICTION',
        path: place(index),
        other: place(first),
        at: 'value',
        message: 'a second client with the same access key id',
      },
    ];
  });
}

const SEAL_ONLY = ['bucketId', 'allowedKeys', 'customerKeys', 'shownAs'] as const;

function sealOnlyFindings(rules: FileSection<'s3'>['buckets']): readonly Finding[] {
  return rules.flatMap((rule, index) =>
    SEAL_ONLY.filter((name) => rule.seal === undefined && rule[name] !== undefined).map((name): Finding => ({
      code: 'ERR_CONFIG_CONTRADICTION',
      path: ['s3', 'buckets', index, name],
      at: 'key',
      message: `\`${name}\` belongs to \`seal\` alone`,
    })),
  );
}

function anonymousFindings(rules: FileSection<'s3'>['buckets']): readonly Finding[] {
  return rules.flatMap(({ anonymous, refuse }, index) =>
    anonymous === undefined || refuse === undefined
      ? []
      : [
          {
            code: 'ERR_CONFIG_CONTRADICTION',
            path: ['s3', 'buckets', index, 'anonymous'],
            at: 'key',
            message: 'the rule refuses every request',
          },
        ],
  );
}
