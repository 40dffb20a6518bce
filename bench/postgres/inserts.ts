/**
 * `npm run bench -- inserts`: a row with three sealed columns, one INSERT each, beside the same INSERT into a plain table directly, through PgBouncer
 * and through Sealgate. What it costs the server to store longer values is in the ratio, as users see it; commits wait for no disk,
 * which would hide what everything else costs.
 */
import type { BenchOptions } from '../options.ts';
import { find } from '../programs.ts';
import { measureRounds, type Subject } from './measure.ts';
import { pgbench, PROTOCOLS, writeScript } from './pgbench.ts';
import { caseTable } from './report.ts';
import { createPostgresWorld, DATABASE, USER, type PostgresWorld } from './world.ts';

const CLIENTS = [1, 8];
const DIRECT = 'direct, plain table';

export async function benchInserts(options: BenchOptions): Promise<void> {
  const program = find('pgbench');
  if (program === undefined) return options.say('pgbench is not installed: inserts are not measured');
  const world = await createPostgresWorld(options.say);
  try {
    const { rounds, seconds, say, print } = options;
    const targets = await targetsOf(world);
    const common = { program, user: USER, password: world.password, database: DATABASE, seconds };
    for (const protocol of PROTOCOLS) {
      for (const clients of CLIENTS) {
        const title = `insert of a row, ${protocol} protocol, ${clients} client${clients === 1 ? '' : 's'}`;
        say(title);
        const subjects = targets.map(({ port, script, ...target }): Subject => ({
          ...target,
          run: () => pgbench({ ...common, port, script, protocol, clients }),
        }));
        print(caseTable({ title, measured: await measureRounds(subjects, rounds) }, 'direct'));
      }
    }
  } finally {
    await world.close();
  }
}

type Target = Pick<Subject, 'name' | 'pid' | 'base'> & { readonly port: number; readonly script: readonly string[] };

async function targetsOf({ folder, postgresPort, pgbouncer, sealgate }: PostgresWorld): Promise<readonly Target[]> {
  const plain = await insertInto(folder, 'plain_three');
  const sealed = await insertInto(folder, 'sealed_three');
  const pooled = pgbouncer === undefined ? [] : [{ ...pgbouncer, name: 'PgBouncer, plain table' }];
  return [
    { name: DIRECT, port: postgresPort, pid: undefined, base: undefined, script: plain },
    ...pooled.map((proxy) => ({ ...proxy, base: DIRECT, script: plain })),
    { ...sealgate, name: 'Sealgate, plain table', base: DIRECT, script: plain },
    { ...sealgate, name: 'Sealgate, three sealed columns', base: DIRECT, script: sealed },
  ];
}

function insertInto(folder: string, table: string): Promise<readonly string[]> {
  const values = `:id, 'Some Name', 'someone@example.org', '1970-02-03'`;
  return writeScript(
    folder,
    `insert-${table}`,
    `\\set id random(1, 1000000000)\ninsert into ${table} values (${values});\n`,
  );
}
