/**
 * `npm run bench -- postgres`: pgbench directly, through PgBouncer (session mode) and through Sealgate, on a table without rules and on
 * one with a sealed column, in each protocol, for 1, 8, 32 and 100 clients.
 *
 * Two tables of ratios at the end: speed, which clients see, where pgbench, server and proxy share the cores; and CPU time that the
 * proxy alone spent on a transaction.
 */
import type { BenchOptions } from '../options.ts';
import { find } from '../programs.ts';
import { measureRounds, type Subject } from './measure.ts';
import { pgbench, PROTOCOLS, writeLookup } from './pgbench.ts';
import { caseTable, summary, type Case } from './report.ts';
import { createPostgresWorld, DATABASE, ROWS, USER, type PostgresWorld } from './world.ts';

const CLIENTS = [1, 8, 32, 100];

export async function benchPostgres(options: BenchOptions): Promise<void> {
  const program = find('pgbench');
  if (program === undefined) return options.say('pgbench is not installed: Postgres is not measured');
  const world = await createPostgresWorld(options.say);
  try {
    if (world.pgbouncer === undefined)
      options.say('PgBouncer is not installed: measured without it, so without ratios');
    await benchLookups(world, program, options);
  } finally {
    await world.close();
  }
}

type Target = Pick<Subject, 'name' | 'pid' | 'base'> & { readonly port: number; readonly script: readonly string[] };

/** `base`: the target that a ratio is to, which runs the same statement on a table of the same rows and index. */
async function targetsOf({ folder, postgresPort, pgbouncer, sealgate }: PostgresWorld): Promise<readonly Target[]> {
  const lookup = (table: string, columns: string): Promise<readonly string[]> =>
    writeLookup(folder, { table, columns, rows: ROWS });
  const plain = await lookup('plain_people', 'id, note');
  const pooled = pgbouncer === undefined ? [] : [{ ...pgbouncer, base: undefined }];
  return [
    { name: 'direct', port: postgresPort, pid: undefined, base: undefined, script: ['-S'] },
    ...pooled.map((proxy) => ({ ...proxy, name: 'PgBouncer', script: ['-S'] })),
    { ...sealgate, name: 'Sealgate, untouched', base: 'PgBouncer', script: ['-S'] },
    ...pooled.map((proxy) => ({ ...proxy, name: 'PgBouncer, plain lookup', script: plain })),
    {
      ...sealgate,
      name: 'Sealgate, sealed lookup',
      base: 'PgBouncer, plain lookup',
      script: await lookup('sealed_people', 'id, note'),
    },
    {
      ...sealgate,
      name: 'Sealgate, sealed lookup and read',
      base: 'PgBouncer, plain lookup',
      script: await lookup('sealed_people', 'id, number, note'),
    },
  ];
}

async function benchLookups(world: PostgresWorld, program: string, options: BenchOptions): Promise<void> {
  const { rounds, seconds, say, print } = options;
  const targets = await targetsOf(world);
  const common = { program, user: USER, password: world.password, database: DATABASE, seconds };
  const cases: Case[] = [];
  for (const protocol of PROTOCOLS) {
    for (const clients of CLIENTS) {
      const title = `${protocol} protocol, ${clients} client${clients === 1 ? '' : 's'}`;
      say(title);
      const subjects = targets.map(({ port, script, ...target }): Subject => ({
        ...target,
        run: () => pgbench({ ...common, port, script, protocol, clients }),
      }));
      const measured = await measureRounds(subjects, rounds);
      print(caseTable({ title, measured }));
      cases.push({ title, measured });
    }
  }
  print(summary(cases));
}
