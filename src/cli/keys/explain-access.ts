/** `sealgate keys explain-access`: which statement or grant decides, and what is missing. */
import { postgresPrincipal } from '../../config/principals.ts';
import type { Explanation } from '../../keys/access/explain.ts';
import { isServiceName } from '../../keys/access/principal.ts';
import type { AccessQuestion } from '../../keys/offline.ts';
import { defineCommand, EXIT } from '../command.ts';
import { CliError } from '../errors.ts';
import { isCommandKmsOverTls, loadCommandConfig } from '../load.ts';
import { askedAction } from './asked-action.ts';
import { askedFacts } from './asked-facts.ts';
import { formatJson, formatTable } from './format.ts';
import { principalOfClient } from './named-client.ts';
import { JSON_OPTION, ownKeySettings, STORE_OPTIONS } from './session.ts';

const VIAS = ['kms', 's3', 'postgres'] as const;

export const keysExplainAccessCommand = defineCommand({
  name: 'keys explain-access',
  summary: 'say whether a caller may use a KMS key, which statement or grant decides, and what is missing',
  usage: 'keys explain-access <key> --action <action> (--client <name> | --role <database>/<role> | --principal <ARN>)',
  example:
    'sealgate keys explain-access alias/objects --action Decrypt --client reports --via s3\nsealgate keys explain-access alias/columns --action Decrypt --role shop/analyst',
  details:
    'By the config’s policies and what is in the key store now; nothing is used and nothing recorded. Works beside a running `sealgate up`.\nOf the KMS API it is asked as over TLS if `kms.listen` has it (or the config no section `kms`); and by whatever door with the algorithm where\nthe key has one alone, and of a message for RAW. What else conditions look at in a request can be given: --context takes pairs of the\nencryption context; --with takes kms:<parameter>, and of the KMS API aws:SourceIp, aws:UserAgent, aws:SecureTransport; they overrule the\nformer. aws:RequestTag/…, aws:TagKeys and aws:MultiFactorAuthPresent cannot be given and count as absent.\nExit code 0: it would be allowed; 1: refused.',
  options: {
    ...STORE_OPTIONS,
    action: {
      type: 'string',
      placeholder: 'name',
      help: 'what is asked for, as AWS KMS calls it: Decrypt, GenerateDataKey …',
    },
    client: { type: 'string', placeholder: 'name', help: 'a client of the S3 gateway or of the KMS API' },
    role: { type: 'string', placeholder: 'database/role', help: 'a role that connects through the Postgres proxy' },
    principal: { type: 'string', placeholder: 'ARN', help: 'any caller; a service by its name' },
    via: {
      type: 'string',
      placeholder: VIAS.join('|'),
      help: 'by which door it comes (default: postgres for a role, else kms)',
    },
    context: {
      type: 'string',
      multiple: true,
      placeholder: 'name=value',
      help: 'a pair of the encryption context; may be given several times',
    },
    with: {
      type: 'string',
      multiple: true,
      placeholder: 'name=value',
      help: 'what else the request says, as conditions call it: kms:EncryptionAlgorithm=…, aws:SourceIp=…; may be given several times',
    },
    'source-arn': { type: 'string', placeholder: 'ARN', help: 'of a service: the resource for which it asks' },
    'source-account': { type: 'string', placeholder: 'id', help: 'of a service: the account of that resource' },
    ...JSON_OPTION,
  },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [keyId = ''], values }, io) => {
    const settings = await ownKeySettings(values, io);
    const { context = [] } = values;
    const via = viaOf(values);
    const asked: AccessQuestion = {
      keyId,
      principal: await principalOf(values, settings.config.account, async (client) =>
        principalOfClient(await loadCommandConfig(values.config, io), client, via),
      ),
      via,
      action: await askedAction(values.action),
      context: Object.fromEntries(context.map(pairOf)),
      request: { ...(await askedFacts(values.with ?? [], via)), ...sourceOf(values) },
    };
    const { explainAccess } = await import('../../keys/offline.ts');
    const { access } = settings.options;
    if (access === undefined) throw new TypeError('the config always gives policies');
    const kmsTls = await isCommandKmsOverTls(values.config, io);
    const explanation = await explainAccess({ ...settings.options, access, kmsTls }, asked, Date.now);
    io.stdout.write(values.json === true ? formatJson(explanation) : formatExplanation(explanation, asked));
    return explanation.allowed ? EXIT.ok : EXIT.failure;
  },
});

type Who = {
  readonly client?: string | undefined;
  readonly role?: string | undefined;
  readonly principal?: string | undefined;
  readonly via?: string | undefined;
};

/** `named`: whom a client of the config stands for, which takes more of the config than section `keys`. */
async function principalOf(
  { client, role, principal }: Who,
  account: string,
  named: (client: string) => Promise<string>,
): Promise<string> {
  if ([client, role, principal].filter((given) => given !== undefined).length !== 1)
    throw new CliError('ERR_CLI_USAGE', 'give one of --client, --role and --principal');
  if (client !== undefined) return await named(client);
  if (role === undefined) return principal ?? '';
  const at = role.indexOf('/');
  if (at < 1 || at === role.length - 1) throw new CliError('ERR_CLI_USAGE', '--role takes <database>/<role>');
  return postgresPrincipal(account, role.slice(0, at), role.slice(at + 1));
}

function viaOf({ role, via = role === undefined ? 'kms' : 'postgres' }: Who): AccessQuestion['via'] {
  const known = VIAS.find((each) => each === via);
  if (known === undefined) throw new CliError('ERR_CLI_USAGE', `--via takes one of ${VIAS.join(', ')}`);
  return known;
}

type Source = { readonly 'source-arn'?: string | undefined; readonly 'source-account'?: string | undefined };

/** What a service says of itself, and of anybody else counts for nothing. */
function sourceOf({
  principal,
  'source-arn': sourceArn,
  'source-account': sourceAccount,
}: Who & Source): AccessQuestion['request'] {
  if (sourceArn === undefined && sourceAccount === undefined) return {};
  if (principal === undefined || !isServiceName(principal))
    throw new CliError('ERR_CLI_USAGE', '--source-arn and --source-account are for a --principal that is a service');
  return {
    ...(sourceArn === undefined ? {} : { sourceArn }),
    ...(sourceAccount === undefined ? {} : { sourceAccount }),
  };
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CliError('ERR_CLI_USAGE', '--context takes <name>=<value>');
  return [text.slice(0, at), text.slice(at + 1)];
}

function formatExplanation(explanation: Explanation & { readonly keyArn: string }, asked: AccessQuestion): string {
  const { allowed, why, missing, keyArn } = explanation;
  const lines = [
    `${asked.principal} ${allowed ? 'may' : 'may not'} kms:${asked.action} with ${keyArn}`,
    `decided by  ${why}`,
    ...missing.map((each) => `missing     ${each}`),
  ];
  return `${lines.join('\n')}\n${explanationTable(explanation)}`;
}

/** All that was consulted; nothing where nothing was. */
export function explanationTable(...explanations: readonly (Explanation | undefined)[]): string {
  const consulted = explanations.flatMap((explanation) => [
    ...(explanation?.statements ?? []).map(({ policy, statement, effect, matches, because }) => [
      matches ? effect.toLowerCase() : '-',
      `${policy}, ${statement}`,
      because,
    ]),
    ...(explanation?.grants ?? []).map(({ grantId, matches, because }) => [
      matches ? 'allow' : '-',
      `grant ${grantId}`,
      because,
    ]),
  ]);
  return consulted.length === 0 ? '' : `\n${formatTable([['SAYS', 'CONSULTED', 'BECAUSE IT'], ...consulted])}`;
}
