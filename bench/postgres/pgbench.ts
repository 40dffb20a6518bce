/** One run of `pgbench`, and the scripts it runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const PROTOCOLS = ['simple', 'extended', 'prepared'] as const;

export type PgbenchRun = {
  readonly program: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly protocol: (typeof PROTOCOLS)[number];
  readonly clients: number;
  readonly seconds: number;
  /** `-S`, or a script of our own. */
  readonly script: readonly string[];
};

/** As pgbench counts them, without the time to connect. */
export type PgbenchResult = { readonly perSecond: number; readonly transactions: number };

export async function pgbench(run: PgbenchRun): Promise<PgbenchResult> {
  const { program, port, user, password, database, protocol, clients, seconds, script } = run;
  const where = ['-h', '127.0.0.1', '-p', String(port), '-U', user];
  const how = ['-n', '-M', protocol, '-c', String(clients), '-j', '1', '-T', String(seconds)];
  const child = spawn(program, [...where, ...how, ...script, database], {
    env: { ...process.env, PGPASSWORD: password },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  const perSecond = Number(/tps = ([0-9.]+) \(without/.exec(said)?.[1]);
  const transactions = Number(/transactions actually processed: ([0-9]+)/.exec(said)?.[1]);
  // A client that met an error leaves, and the rest of the run measures fewer of them.
  if (code !== 0 || !(perSecond > 0) || !(transactions > 0) || /aborted/.test(said))
    throw new Error(`pgbench on port ${port} failed: ${said.slice(0, 600)}`);
  return { perSecond, transactions };
}

/** Finds one of `rows` people by a number that pgbench draws, and reads `columns` of the row. */
export function writeLookup(
  folder: string,
  { table, columns, rows }: { readonly table: string; readonly columns: string; readonly rows: number },
): Promise<readonly string[]> {
  const lookup = `\\set number random(1, ${rows})\nselect ${columns} from ${table} where number = :number;\n`;
  return writeScript(folder, `lookup-${table}`, lookup);
}

/** What pgbench is to run, as its options. */
export async function writeScript(folder: string, name: string, script: string): Promise<readonly string[]> {
  const file = join(folder, `${name}.sql`);
  await writeFile(file, script);
  return ['-f', file];
}
