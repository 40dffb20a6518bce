/** `npm run bench -- postgres`: pgbench directly, through PgBouncer, and through Sealgate, on tables with and without rules. */
import { pgbenchRate, writeLookupScript, type PgbenchRun } from './lookups.ts';
import type { BenchOptions } from './options.ts';
import { find, startPgBouncer } from './programs.ts';
import { measure, report } from './rounds.ts';
import { createWorld, DATABASE, ROWS, type World } from './world.ts';

export async function benchPostgres(options: BenchOptions): Promise<void> {
  const world = await createWorld(options.say);
  try {
    await benchLookups(world, options);
  } finally {
    await world.close();
  }
}

async function benchLookups(world: World, { say, print, rounds, seconds }: BenchOptions): Promise<void> {
  const program = find('pgbench');
  if (program === undefined) return say('pgbench is not installed: Postgres was not measured');
  const pooler = await startPgBouncer(world.folder, world.backends.postgresPort, 'app', world.secret);
  if (pooler === undefined) say('PgBouncer is not installed: measured without it');
  const plain = ['-f', await writeLookupScript(world.folder, 'plain_people', ROWS)];
  const sealed = ['-f', await writeLookupScript(world.folder, 'sealed_people', ROWS)];
  const cases = [
    { name: 'direct', port: world.backends.postgresPort, script: ['-S'] },
    ...(pooler === undefined ? [] : [{ name: 'PgBouncer', port: pooler.port, script: ['-S'] }]),
    { name: 'sealgate, table without rules', port: world.sealgate.postgresPort, script: ['-S'] },
    ...(pooler === undefined
      ? []
      : [{ name: 'PgBouncer, lookup in the plain table', port: pooler.port, script: plain }]),
    { name: 'sealgate, lookup by a sealed column', port: world.sealgate.postgresPort, script: sealed },
  ];
  const common = { program, user: 'app', password: world.secret, database: DATABASE, seconds };
  for (const protocol of ['simple', 'extended', 'prepared'] as const) {
    for (const clients of [1, 8, 32]) {
      const targets = cases.map(({ name, port, script }) => ({
        name,
        run: () => pgbenchRate({ ...common, port, script, protocol, clients } satisfies PgbenchRun),
      }));
      print(
        report(
          `pgbench, ${protocol} protocol, ${clients} client${clients === 1 ? '' : 's'}`,
          'transactions/s',
          await measure(targets, rounds),
          ['direct', 'PgBouncer'],
        ),
      );
    }
  }
  await pooler?.stop();
}
