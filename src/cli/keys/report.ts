/** `sealgate keys report`: every key with its states, what is due, what it protects and who may use it. */
import { keysOf } from '../../config/bucket-rules.ts';
import type { Config } from '../../config/config.ts';
import { clientPrincipal } from '../../config/principals.ts';
import type { KeyReport, KeyUser, ReportedKey, ReportRequest } from '../../keys/admin/key-report.ts';
import { changesIn } from '../../keys/life/material-history.ts';
import { defineCommand, EXIT } from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { formatJson, formatTable, managerLine, regionsRow } from './format.ts';
import { JSON_OPTION, ownKeySettings, STORE_OPTIONS } from './session.ts';

export const keysReportCommand = defineCommand({
  name: 'keys report',
  summary: 'list every KMS key with its states, what is due, what it protects and who may use it',
  usage: 'keys report [--json]',
  example: 'sealgate keys report',
  details:
    'By the config’s rules and policies and what is in the key store now; nothing is used and nothing recorded. Works beside a running\n`sealgate up`. Who may use a key is decided for the clients and identities that the config names, and for all others at once (`*`), with an\nempty encryption context; grants are listed as they are.',
  options: { ...STORE_OPTIONS, ...JSON_OPTION },
  run: async ({ values }, io) => {
    const { options } = await ownKeySettings(values, io);
    const { access } = options;
    if (access === undefined) throw new TypeError('the config always gives policies');
    const config = await loadCommandConfig(values.config, io);
    const kmsTls = config.kms && config.kms.listen.tls !== undefined;
    const { readKeyReport } = await import('../../keys/admin/key-report.ts');
    const report = await readKeyReport({ ...options, access, kmsTls }, reportRequest(config), Date.now);
    io.stdout.write(values.json === true ? formatJson(report) : formatReport(report));
    return EXIT.ok;
  },
});

function reportRequest({ keys, kms, s3, postgres }: Config): ReportRequest {
  const buckets = (s3?.buckets ?? []).flatMap(({ bucket, prefix, outcome }) =>
    keysOf(outcome).map((keyId) => ({ what: bucketText(bucket, prefix), keyId })),
  );
  const columns = (postgres?.columns ?? []).map(({ database, schema, table, column, keyId }) => ({
    what: `column ${[database, schema, table, column].join('.')}`,
    keyId,
  }));
  const callers = [
    ...(s3?.clients ?? []).map(({ name }) => clientPrincipal(keys.account, name)),
    ...(kms?.clients ?? []).map(({ principal }) => principal),
    ...keys.access.identities.map(({ arn }) => arn),
  ];
  return { rules: [...buckets, ...columns], callers: [...new Set(callers)].sort() };
}

const bucketText = (bucket: string, prefix: string): string =>
  prefix === '' ? `bucket ${bucket}` : `bucket ${bucket}, keys ${prefix}*`;

function formatReport({ keys, destroyed, missing, unmade }: KeyReport): string {
  const shown = [...keys.map(formatReported), ...destroyed.map(formatDestroyed)];
  const coming = unmade.map(({ what, keyId }) => `unmade      ${keyId}, made when ${what} is first used\n`).join('');
  const lost = missing.map(({ what, keyId }) => `missing     ${keyId}, which the rule of ${what} names\n`).join('');
  const notes = `${coming}${lost}`;
  if (shown.length === 0) return `no keys yet; \`sealgate keys create\` makes one\n${notes}`;
  return `${shown.join('\n')}${notes === '' ? '' : `\n${notes}`}`;
}

function formatReported(key: ReportedKey): string {
  const rows = [
    ['key', key.arn],
    ['aliases', key.aliases.join(', ') || '-'],
    ['kind', `${key.spec} for ${key.usage}, ${key.strengthBits} bits of strength`],
    ...key.algorithms.map((each) => ['algorithm', formatApproval(each)]),
    ...(key.management.type === 'customer' ? [] : [['managed by', managerLine(key)]]),
    ['state', key.state],
    ...regionsRow(key),
    ...key.materials.map(({ version, state, stillOpens, history }) => {
      const last = changesIn(history).at(-1);
      const shown = stillOpens ? `${state}, still opens` : state;
      return ['material', `${version}  ${shown} since ${last?.at ?? '-'}: ${last?.reason ?? '-'}`];
    }),
    ...orNone(
      'due',
      key.due.map(
        ({ what, at, material, over }) =>
          `${at}  ${what}${material === undefined ? '' : ` of material ${material}`}${over === true ? ', over' : ''}`,
      ),
    ),
    ['life', formatTerms(key.life)],
    ...(key.life.rule === undefined
      ? []
      : [['reason', `${key.life.rule.reason} (rule ${key.life.rule.number} of keys.life)`]]),
    ...key.used.map((used) => ['used', formatUsed(used, key.life)]),
    ...orNone('protects', key.protects),
    ...orNone('users', key.users.map(formatUser)),
    ...key.grants.map(({ grantee, operations, constrained }) => [
      'grant',
      `${grantee}  ${operations.join(', ')}${constrained ? '  for some encryption contexts' : ''}`,
    ]),
  ];
  return formatTable(rows);
}

function formatDestroyed({ arn, spec, usage, destroyedAt, materials }: KeyReport['destroyed'][number]): string {
  const rows = materials.map(({ version, history }) => {
    const last = history.at(-1);
    return ['material', `${version}  ${last?.to ?? '-'} since ${last?.at ?? '-'}: ${last?.reason ?? '-'}`];
  });
  return formatTable([
    ['key', arn],
    ['kind', `${spec} for ${usage}`],
    ['state', `destroyed since ${destroyedAt}`],
    ...rows,
  ]);
}

function formatTerms({
  profile,
  originatorDays,
  recipientDays,
  recipientEnd,
  weakWrapping,
}: ReportedKey['life']): string {
  const days = (count: number | null): string => (count === null ? 'without end' : `for ${count} days`);
  const ends = profile === 'aws' ? 'warns' : `rotates or refuses, at the recipient end ${recipientEnd}s`;
  const wrapping = weakWrapping === 'refuse' ? 'refuses' : 'warns of';
  return `profile ${profile}: protects ${days(originatorDays)}, processes ${days(recipientDays)}; then ${ends}; ${wrapping} weak wrapping`;
}

function formatUsed(
  { material, operations, bytes, missing }: ReportedKey['used'][number],
  { maxOperations, maxBytes }: ReportedKey['life'],
): string {
  const of = (max: number | null): string => (max === null ? '' : ` of ${max}`);
  const hidden = missing === 0 ? '' : `; ${missing} of them because records of the audit trail are missing`;
  return `material ${material}  ${operations}${of(maxOperations)} operations, ${bytes}${of(maxBytes)} bytes${hidden}`;
}

const orNone = (name: string, values: readonly string[]): readonly (readonly string[])[] =>
  values.length === 0 ? [[name, '-']] : values.map((value) => [name, value]);

function formatApproval({ algorithm, protect, process, changes }: ReportedKey['algorithms'][number]): string {
  const [next] = changes;
  const coming = next === undefined ? '' : `; from ${next.at} protect ${next.protect}, process ${next.process}`;
  return `${algorithm}  protect ${protect}, process ${process}${coming}`;
}

function formatUser({ principal, protect, process }: KeyUser): string {
  const who = principal === '*' ? '* (not listed)' : principal;
  return `${who}  protects: ${protect.join(', ') || '-'}; processes: ${process.join(', ') || '-'}`;
}
