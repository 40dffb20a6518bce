/** `sealgate s3 explain-access`: what a caller of the S3 gateway may do with a bucket or object, and which rule, statement and key decide. */
import type { Config, S3Config } from '../../config/config.ts';
import { clientPrincipal } from '../../config/principals.ts';
import type { Explanation } from '../../keys/access/explain.ts';
import type { RequestFacts } from '../../keys/access/request.ts';
import { ruleForKey } from '../../s3/rule-for-key.ts';
import { compileRules, type S3Rule } from '../../s3/rules.ts';
import { CONFIG_OPTION, defineCommand, EXIT } from '../command.ts';
import { CliError } from '../errors.ts';
import { explanationTable } from '../keys/explain-access.ts';
import { formatJson } from '../keys/format.ts';
import { JSON_OPTION, keySettings } from '../keys/session.ts';
import { loadCommandConfig } from '../load.ts';
import { anonymousPrincipal } from '../../keys/access/anonymous.ts';
import type { AccessQuestion } from '../../keys/offline.ts';
import { accessOptions } from '../options/keys.ts';

export const s3ExplainAccessCommand = defineCommand({
  name: 's3 explain-access',
  summary:
    'say whether a caller may do something with a bucket or object, which rule, statement and key decide, and what is missing',
  usage:
    's3 explain-access s3://<bucket>[/<key>] --action <action> (--client <name> | --principal <ARN> | --anonymous)',
  example:
    'sealgate s3 explain-access s3://invoices/2026/a.pdf --action GetObject --client reports\nsealgate s3 explain-access s3://invoices --action ListBucket --client reports --with s3:prefix=2026/',
  details:
    'By the config’s rules and policies and what is in the key store now; nothing is asked of the store, used or recorded. Works beside a running `sealgate up`.\nExit code 0: it would be allowed; 1: refused.',
  options: {
    ...CONFIG_OPTION,
    action: {
      type: 'string',
      placeholder: 'name',
      help: 'what is asked for, as policies of S3 call it: GetObject, PutObject, ListBucket …',
    },
    client: { type: 'string', placeholder: 'name', help: 'a client of the S3 gateway' },
    principal: { type: 'string', placeholder: 'ARN', help: 'any caller' },
    anonymous: { type: 'boolean', help: 'a request without a signature' },
    with: {
      type: 'string',
      multiple: true,
      placeholder: 'name=value',
      help: 'what else the request says, as conditions call it: s3:<name>, aws:SourceIp, aws:SecureTransport; may be given several times',
    },
    ...JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [url = ''], values }, io) => {
    const what = { ...placeOf(url), action: actionOf(values.action), facts: factsOf(values.with ?? []) };
    const who = principalOf(values);
    const config = await loadCommandConfig(values.config, io);
    if (config.s3 === undefined) throw new CliError('ERR_CLI_USAGE', 'the config has no section `s3`');
    const { client } = values;
    // Misspelt, it would be answered for a caller that nothing limits.
    if (client !== undefined && !config.s3.clients.some(({ name }) => name === client))
      throw new CliError(
        'ERR_CLI_USAGE',
        `the gateway has no client ${client}; --principal takes any caller by its ARN`,
      );
    const asked: Asked = { ...what, principal: who(config.keys.account), anonymous: values.anonymous === true };
    const rule = await ruleOf(asked, config.s3);
    const policies = await policiesOf(asked, config);
    const key = await keyOf(
      asked,
      rule,
      async (question) => {
        const { explainAccess } = await import('../../keys/offline.ts');
        const { options } = await keySettings(values, io);
        return explainAccess({ ...options, access: accessOptions(config.keys.access) }, question, Date.now);
      },
      config,
    );
    const answer = { ...asked, allowed: ruleAllows(asked, rule) && policies.allowed && key?.allowed !== false };
    io.stdout.write(
      values.json === true
        ? formatJson({ allowed: answer.allowed, rule: rule ?? null, policies, key: key ?? null })
        : format(answer, rule, policies, key),
    );
    return answer.allowed ? EXIT.ok : EXIT.failure;
  },
});

type Asked = {
  readonly bucket: string;
  readonly key: string;
  /** As `s3:GetObject`. */
  readonly action: string;
  readonly principal: string;
  readonly anonymous: boolean;
  readonly facts: RequestFacts;
};

const PLACE = /^s3:\/\/([^/]+)(?:\/(.*))?$/su;

function placeOf(url: string): Pick<Asked, 'bucket' | 'key'> {
  const [, bucket, key = ''] = PLACE.exec(url) ?? [];
  if (bucket === undefined) throw new CliError('ERR_CLI_USAGE', 'give the place as s3://bucket or s3://bucket/key');
  return { bucket, key };
}

function actionOf(action: string | undefined): string {
  if (action === undefined || !/^(?:s3:)?[A-Za-z]+$/u.test(action))
    throw new CliError('ERR_CLI_USAGE', '--action takes the name of an action, as GetObject');
  return `s3:${action.replace('s3:', '')}`;
}

type Who = {
  readonly client?: string | undefined;
  readonly principal?: string | undefined;
  readonly anonymous?: boolean | undefined;
};

/** Of an account. */
function principalOf({ client, principal, anonymous = false }: Who): (account: string) => string {
  if ([client !== undefined, principal !== undefined, anonymous].filter(Boolean).length !== 1)
    throw new CliError('ERR_CLI_USAGE', 'give one of --client, --principal and --anonymous');
  if (client !== undefined) return (account) => clientPrincipal(account, client);
  return (account) => principal ?? anonymousPrincipal(account);
}

function factsOf(pairs: readonly string[]): RequestFacts {
  const s3: Record<string, string> = {};
  let facts: RequestFacts = {};
  for (const text of pairs) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/su.exec(text) ?? [];
    const [service, known] = [name.slice(0, name.indexOf(':')), name.slice(name.indexOf(':') + 1).toLowerCase()];
    if (service === 's3') s3[known] = value;
    else if (name === 'aws:SourceIp') facts = { ...facts, sourceIp: value };
    else if (name === 'aws:SecureTransport') facts = { ...facts, secureTransport: value === 'true' };
    else
      throw new CliError('ERR_CLI_USAGE', '--with takes s3:<name>=<value>, aws:SourceIp=… and aws:SecureTransport=…');
  }
  return { ...facts, s3 };
}

/** The rule of the object; of a bucket that of all its keys. Undefined: it passes unchanged. */
async function ruleOf({ bucket, key }: Asked, s3: S3Config): Promise<S3Rule | undefined> {
  const { s3RuleEntries } = await import('../options/s3.ts');
  const rules = compileRules(s3RuleEntries(s3));
  return key === ''
    ? rules.forBucket(bucket).find(({ prefix }) => prefix === '')?.rule
    : ruleForKey({ bucket, key }, rules);
}

const ANONYMOUS_ACTIONS: ReadonlySet<string> = new Set(['s3:GetObject']);

function ruleAllows({ anonymous, action, key }: Asked, rule: S3Rule | undefined): boolean {
  if (rule?.type === 'refuse') return false;
  return !anonymous || (key !== '' && rule?.anonymous === 'read' && ANONYMOUS_ACTIONS.has(action));
}

async function policiesOf({ bucket, key, action, principal, facts }: Asked, { keys }: Config): Promise<Explanation> {
  const { S3Authorizer } = await import('../../keys/access/s3-authorizer.ts');
  const authorizer = new S3Authorizer(accessOptions(keys.access), keys, Date.now);
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  return authorizer.explain({ principal, action, resource, facts });
}

/** What a sealed object's key is used for. */
const KEY_ACTIONS: Readonly<Record<string, 'Decrypt' | 'GenerateDataKey'>> = {
  's3:GetObject': 'Decrypt',
  's3:GetObjectVersion': 'Decrypt',
  's3:GetObjectAttributes': 'Decrypt',
  's3:GetObjectVersionAttributes': 'Decrypt',
  's3:PutObject': 'GenerateDataKey',
};

type KeyAnswer = Explanation & { readonly keyArn: string; readonly action: string };
type Explain = (question: AccessQuestion) => Promise<Explanation & { readonly keyArn: string }>;

/** Undefined where no key is used. */
async function keyOf(
  { bucket, key, action, principal }: Asked,
  rule: S3Rule | undefined,
  explain: Explain,
  { keys }: Config,
): Promise<KeyAnswer | undefined> {
  const used = KEY_ACTIONS[action];
  if (rule?.type !== 'seal' || key === '' || used === undefined) return undefined;
  if (keys.remote !== undefined)
    throw new CliError('ERR_CLI_USAGE', `the keys are managed by ${keys.remote.endpoint}: ask there`);
  const context = { 'aws:s3:arn': `arn:aws:s3:::${rule.bucketId ?? bucket}/${key}` };
  // Of the request that made it want the key, the gateway tells the key manager the caller and the place alone.
  const question = { keyId: rule.keyId, principal, via: 's3', action: used, context, request: {} } as const;
  return { ...(await explain(question)), action: `kms:${used}` };
}

function format(
  { allowed, principal, action, bucket, key: name, anonymous }: Asked & { readonly allowed: boolean },
  rule: S3Rule | undefined,
  policies: Explanation,
  key: KeyAnswer | undefined,
): string {
  const place = `s3://${bucket}${name === '' ? '' : `/${name}`}`;
  const lines = [
    `${principal} ${allowed ? 'may' : 'may not'} ${action} on ${place}`,
    `rule        ${ruleText(rule)}${anonymous && rule?.type !== 'refuse' ? anonymousText(rule) : ''}`,
    `policies    ${policies.why}`,
    ...(key === undefined ? [] : [`key         ${key.action} with ${key.keyArn}: ${key.why}`]),
    ...[...policies.missing, ...(key?.missing ?? [])].map((each) => `missing     ${each}`),
  ];
  return `${lines.join('\n')}\n${explanationTable(policies, key)}`;
}

function ruleText(rule: S3Rule | undefined): string {
  if (rule === undefined) return 'none matches: passes unchanged';
  if (rule.type === 'seal') return `${rule.name} seals under ${rule.keyId}`;
  return `${rule.name} ${rule.type === 'pass' ? 'passes unchanged' : 'refuses every request'}`;
}

const anonymousText = (rule: S3Rule | undefined): string =>
  rule !== undefined && rule.type !== 'refuse' && rule.anonymous === 'read'
    ? ', and may be read without a signature'
    : ', and says nothing of requests without a signature: they are refused';
