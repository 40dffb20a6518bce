/** Section `s3`, from the file's form to the room's. */
import { checkBucketRules, type BucketOutcome } from '../bucket-rules.ts';
import type { ListenConfig, S3Config } from '../config.ts';
import type { ConfigFiles } from '../files.ts';
import { readListenTls } from '../listen-tls.ts';
import type { ConfigPath, Finding } from '../problem.ts';
import type { ConfigFile } from '../schema.ts';
import { Secret } from '../secret.ts';
import { resolveOtherStores, resolveStore } from './object-store.ts';

type Section = NonNullable<ConfigFile['s3']>;

async function resolveListen(listen: Section['listen'], files: ConfigFiles, at: ConfigPath): Promise<ListenConfig> {
  const tls = listen.tls && (await readListenTls(listen.tls, files, [...at, 'tls']));
  return { host: listen.host, port: listen.port, tls };
}

export async function resolveS3(s3: Section, files: ConfigFiles, findings: Finding[]): Promise<S3Config> {
  const buckets = s3.buckets.map(({ bucket, prefix, allowAround, ...rule }) => ({
    bucket,
    prefix,
    outcome: outcomeOf(rule),
    ...(allowAround.length === 0 ? {} : { allowAround }),
  }));
  findings.push(
    ...checkBucketRules(buckets, ['s3', 'buckets']),
    ...clientFindings(s3.clients),
    ...sealOnlyFindings(s3.buckets),
    ...anonymousFindings(s3.buckets),
    ...plainFindings(s3.buckets),
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
  const tools = { files, findings };
  return {
    listen: await resolveListen(s3.listen, files, ['s3', 'listen']),
    hosts: s3.hosts,
    region: s3.region,
    upstream: await resolveStore(s3.upstream, ['s3', 'upstream'], tools),
    otherUpstreams: await resolveOtherStores(s3.otherUpstreams, tools),
    clients,
    buckets,
    listSizes: s3.listSizes,
    defaultChecksum: s3.defaultChecksum,
    customerKeysWithoutTls: s3.customerKeysWithoutTls,
    emulateConditions: s3.emulateConditions,
  };
}

function outcomeOf(rule: Omit<Section['buckets'][number], 'bucket' | 'prefix' | 'allowAround'>): BucketOutcome {
  const anonymous = rule.anonymous === undefined ? {} : { anonymous: rule.anonymous };
  if (rule.seal !== undefined) {
    const { bucketId, allowedKeys, customerKeys, shownAs, plainObjects, plainObjectsUntil: until } = rule;
    return {
      type: 'seal',
      keyId: rule.seal,
      ...(bucketId === undefined ? {} : { bucketId }),
      ...(allowedKeys === undefined ? {} : { allowedKeys }),
      ...(customerKeys === undefined ? {} : { customerKeys }),
      ...(shownAs === undefined ? {} : { shownAs }),
      ...(plainObjects === 'read' ? { readsPlainUntil: until === undefined ? Infinity : Date.parse(until) } : {}),
      ...anonymous,
    };
  }
  return rule.pass === true ? { type: 'pass', ...anonymous } : { type: 'refuse' };
}

function clientFindings(clients: Section['clients']): readonly Finding[] {
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

function sameKeyTwice(clients: Section['clients']): readonly Finding[] {
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

const SEAL_ONLY = ['bucketId', 'allowedKeys', 'customerKeys', 'shownAs', 'plainObjects', 'plainObjectsUntil'] as const;

function sealOnlyFindings(rules: Section['buckets']): readonly Finding[] {
  return rules.flatMap((rule, index) =>
    SEAL_ONLY.filter((name) => rule.seal === undefined && rule[name] !== undefined).map((name): Finding => ({
      code: 'ERR_CONFIG_CONTRADICTION',
      path: ['s3', 'buckets', index, name],
      at: 'key',
      message: `\`${name}\` belongs to \`seal\` alone`,
    })),
  );
}

function anonymousFindings(rules: Section['buckets']): readonly Finding[] {
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

function plainFindings(rules: Section['buckets']): readonly Finding[] {
  return rules.flatMap(({ plainObjects, plainObjectsUntil }, index) =>
    plainObjectsUntil === undefined || plainObjects === 'read'
      ? []
      : [
          {
            code: 'ERR_CONFIG_CONTRADICTION',
            path: ['s3', 'buckets', index, 'plainObjectsUntil'],
            at: 'key',
            message: '`plainObjectsUntil` goes with `plainObjects: read`',
          },
        ],
  );
}
