/** `sealgate check`: is the config right, are the upstreams there, do rules and live databases and buckets agree? */
import { EXIT, CONFIG_OPTION, defineCommand } from './command.ts';
import type { Config, PostgresConfig, S3Config } from '../config/config.ts';
import { formatDdl, formatFinding, type CheckFinding } from './checks/report.ts';
import { terminalUse, withKeys } from './keys/session.ts';
import { loadCommandConfig } from './load.ts';
import { keyManagerOptions } from './options/keys.ts';

export const checkCommand = defineCommand({
  name: 'check',
  summary: 'validate the config, and compare its rules with the live database and buckets',
  usage: 'check [--config <file>] [--ddl] [--rebind]',
  example: 'sealgate check\nsealgate check --ddl | psql "postgres://postgres@db.internal/app"\nsealgate check --rebind',
  details: [
    "Says what is missing, and prints the DDL that mends it. Changes nothing but Sealgate's own schema `sealgate` in databases",
    'with rules, which it makes where it is missing. With --rebind each ruled column is bound to the identity that its stored',
    'values prove; nothing is changed where they prove none, or several. Stop `sealgate up` for that: the key store has one',
    'owner at a time. Exit code 0: all is well; 1: something is missing; 3: the config is wrong; 4: an upstream did not answer.',
  ].join('\n'),
  options: {
    ...CONFIG_OPTION,
    rebind: {
      type: 'boolean',
      help: 'bind columns anew to the identity their stored values name (after a rename, swap, restore, or a lost schema)',
    },
    ddl: { type: 'boolean', help: 'print the DDL alone on stdout, for psql; the report goes to stderr' },
  },
  run: async ({ values }, io) => {
    const config = await loadCommandConfig(values.config, io);
    const report = values.ddl === true ? io.stderr : io.stdout;
    report.write(formatFinding({ type: 'ok', about: 'config', message: `${config.file} is sound` }));
    const findings = await checkAll(config, values.rebind === true, (finding) => {
      report.write(formatFinding(finding));
    });
    if (values.ddl === true) io.stdout.write(formatDdl(findings));
    return exitCode(findings);
  },
});

type Tell = (finding: CheckFinding) => void;

async function checkAll(config: Config, rebind: boolean, tell: Tell): Promise<readonly CheckFinding[]> {
  const findings: CheckFinding[] = [];
  const add = (found: readonly CheckFinding[]): void => {
    found.forEach(tell);
    findings.push(...found);
  };
  // Imported when they are needed: the drivers take a while to load.
  const { checkKeys } = await import('./checks/keys.ts');
  add(await checkKeys(config));
  const { checkPolicies } = await import('./checks/policies.ts');
  add(checkPolicies(config.keys.access));
  if (config.kms !== undefined) {
    const { checkKms } = await import('./checks/kms.ts');
    add(checkKms(config.kms, config));
  }
  if (config.s3 !== undefined) add(await checkStore(config.s3));
  if (config.postgres !== undefined) add(await checkDatabases(config, config.postgres, rebind));
  return findings;
}

async function checkStore(s3: S3Config): Promise<readonly CheckFinding[]> {
  const [{ checkS3 }, { openUpstream }] = await Promise.all([import('./checks/s3.ts'), import('./options/s3.ts')]);
  const upstream = openUpstream(s3);
  try {
    return await checkS3(s3, upstream);
  } finally {
    await upstream.close();
  }
}

async function checkDatabases(
  config: Config,
  postgres: PostgresConfig,
  rebind: boolean,
): Promise<readonly CheckFinding[]> {
  const { checkPostgres } = await import('./checks/postgres.ts');
  if (!rebind) return checkPostgres(postgres);
  const settings = { config: config.keys, options: keyManagerOptions(config.keys) };
  const { principal } = terminalUse(settings, 'rebind');
  return withKeys(settings, (keys) => checkPostgres(postgres, { keys, principal }));
}

function exitCode(findings: readonly CheckFinding[]): number {
  const types = new Set(findings.map(({ type }) => type));
  if (types.has('unreachable')) return EXIT.upstream;
  return types.has('missing') ? EXIT.failure : EXIT.ok;
}
