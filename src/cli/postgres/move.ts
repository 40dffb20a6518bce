/** `sealgate postgres seal` and `unseal`, which differ in their direction only. */
import { randomBytes } from 'node:crypto';
import { postgresPrincipal } from '../../config/principals.ts';
import type { ServiceConnection } from '../../postgres/service/connection.ts';
import type { Direction } from '../../postgres/migrate/stage.ts';
import type { FoundTargets } from '../../postgres/migrate/targets.ts';
import { MigrateError } from '../../postgres/migrate/errors.ts';
import { ruleName, type SealRule } from '../../postgres/service/rules.ts';
import { EXIT, type CommandIo } from '../command.ts';
import { terminalUse, withKeys } from '../keys/session.ts';
import { keyManagerOptions } from '../options/keys.ts';
import { chooseDatabase, withService, type ChosenDatabase } from './database.ts';
import { lockTimeout, namedRules, ownerConfig } from './move-options.ts';
import { formatMoved, formatObstacles, formatPlan, formatSurvey, progress, revealing } from './move-report.ts';

export type MoveValues = {
  readonly config: string | undefined;
  readonly database: string | undefined;
  readonly user: string | undefined;
  readonly 'password-file': string | undefined;
  readonly 'lock-timeout': string | undefined;
  readonly 'dry-run': boolean | undefined;
  readonly abandon: boolean | undefined;
  readonly 'accept-rollback': boolean | undefined;
  readonly 'accept-audit-gap': boolean | undefined;
  readonly force?: boolean | undefined;
};

type Job = {
  readonly direction: Direction;
  readonly chosen: ChosenDatabase;
  readonly rules: readonly SealRule[];
  readonly owner: ServiceConnection;
  readonly values: MoveValues;
  readonly lockTimeoutMs: number;
  readonly io: CommandIo;
};

export async function runMove(
  direction: Direction,
  names: readonly string[],
  values: MoveValues,
  io: CommandIo,
): Promise<number> {
  const lockTimeoutMs = lockTimeout(values['lock-timeout']);
  const chosen = await chooseDatabase(values, io);
  const rules = namedRules(names, chosen.rules);
  const { openServiceConnection } = await import('../../postgres/service/connection.ts');
  const { serviceOptions } = await import('../options/postgres.ts');
  const config = await ownerConfig(chosen.postgres, chosen.database.name, values, io);
  const owner = openServiceConnection({ ...(await serviceOptions(config)), statementTimeoutMs: 0 });
  try {
    return await withService(chosen, (service, databaseId) =>
      move({ direction, chosen, rules, owner, values, lockTimeoutMs, io }, service, databaseId),
    );
  } finally {
    await owner.close();
  }
}

async function move(job: Job, service: ServiceConnection, databaseId: string): Promise<number> {
  const { direction, rules, owner, values, io } = job;
  const { findTargets } = await import('../../postgres/migrate/targets.ts');
  const found = await findTargets(owner, service, direction, rules);
  await finish(job, service, found);
  for (const column of found.done) io.stdout.write(`${column} is ${direction}ed already\n`);
  if (found.tables.length === 0) return EXIT.ok;
  if (values.abandon === true) return abandon(job, found, service);
  const isClear = await look(job, found);
  if (values['dry-run'] === true) return isClear ? EXIT.ok : EXIT.failure;
  return convert(job, found, service, databaseId);
}

/** What a run that ended behind the swap has left to do, which only goes forward. */
async function finish(job: Job, service: ServiceConnection, { swapped }: FoundTargets): Promise<void> {
  const { direction, owner, lockTimeoutMs, values, io } = job;
  const { finishPreserving } = await import('../../postgres/migrate/preserving.ts');
  const names = swapped.flatMap(({ targets }) => targets.map(({ rule }) => ruleName(rule)));
  const isDry = values['dry-run'] === true;
  if (!isDry) await finishPreserving({ direction, owner, service, lockTimeoutMs }, swapped);
  const rest = isDry ? 'the next run drops the work column' : 'what was left to do is done';
  for (const name of names) io.stdout.write(`${name} is ${direction}ed already; ${rest}\n`);
}

/** What is there and what would be done; whether nothing stands in the way. Without --dry-run it throws where something does. */
async function look({ direction, chosen, owner, values, io }: Job, { tables }: FoundTargets): Promise<boolean> {
  const { findObstacles } = await import('../../postgres/migrate/obstacles.ts');
  const { notOwned, plannedStatements, surveyTable } = await import('../../postgres/migrate/survey.ts');
  const foreign = await notOwned(owner, tables);
  if (foreign.length > 0)
    throw new MigrateError('ERR_POSTGRES_MOVE_RIGHTS', `role ${values.user ?? ''} does not own ${foreign.join(', ')}`);
  const obstacles = [...(await findObstacles(owner, { direction, tables, rules: chosen.rules }))];
  const surveys = [];
  for (const table of tables) surveys.push(...(await surveyTable(owner, direction, table)));
  io.stdout.write(formatSurvey(surveys));
  if (values.force !== true) obstacles.push(...revealing(surveys));
  if (values['dry-run'] === true)
    io.stdout.write(formatPlan(await plannedStatements(owner, direction, tables), obstacles));
  else if (obstacles.length > 0)
    throw new MigrateError(
      'ERR_POSTGRES_MOVE_REFUSED',
      `nothing was changed:\n${formatObstacles(obstacles).trimEnd()}`,
    );
  return obstacles.length === 0;
}

async function convert(
  job: Job,
  { tables }: FoundTargets,
  service: ServiceConnection,
  databaseId: string,
): Promise<number> {
  const { direction, chosen, owner, lockTimeoutMs, values, io } = job;
  const { moveColumns } = await import('../../postgres/migrate/move.ts');
  const { createColumnService } = await import('../../postgres/columns/sealing-service.ts');
  const { escrowOwnerOf } = await import('../../postgres/columns/dek-table.ts');
  const { ServerTimeZones } = await import('../../postgres/service/time-zones.ts');
  const { pooledRandom } = await import('../../crypto/random.ts');
  const accept = {
    acceptRollback: values['accept-rollback'] === true,
    acceptAuditGap: values['accept-audit-gap'] === true,
  };
  const { keys: keysConfig } = chosen.config;
  const settings = { config: keysConfig, options: keyManagerOptions(keysConfig, accept) };
  const database = chosen.database.name;
  const moved = await withKeys(settings, async (keys) => {
    const columns = createColumnService({
      connection: service,
      keys,
      random: pooledRandom(),
      databaseId,
      escrowOwner: escrowOwnerOf(database),
      zones: new ServerTimeZones(service),
      principalOf: (role) => postgresPrincipal(keysConfig.account, database, role),
    });
    const { principal } = terminalUse(settings, direction);
    const tell = progress(io.stderr, Date.now);
    const { signal } = io;
    return moveColumns(
      { direction, owner, service, columns, random: randomBytes, principal, lockTimeoutMs, signal, tell },
      tables,
    );
  });
  const names = tables.flatMap(({ targets }) => targets.map(({ rule }) => ruleName(rule)));
  io.stdout.write(formatMoved(direction, names, moved));
  return EXIT.ok;
}

async function abandon(
  { direction, owner, lockTimeoutMs, io }: Job,
  { tables }: FoundTargets,
  service: ServiceConnection,
): Promise<number> {
  const { abandonMove } = await import('../../postgres/migrate/move.ts');
  await abandonMove({ direction, owner, service, lockTimeoutMs, tell: progress(io.stderr, Date.now) }, tables);
  io.stdout.write('the columns are as they were; nothing of the unfinished run is left\n');
  return EXIT.ok;
}
