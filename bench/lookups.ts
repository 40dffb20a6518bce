/** `pgbench`: the built-in SELECT on a table without rules, and an equality search on a sealed column, over the same number of rows. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type PgbenchRun = {
  readonly program: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly protocol: 'simple' | 'extended' | 'prepared';
  readonly clients: number;
  readonly seconds: number;
  /** `-S`, or a script of our own. */
  readonly script: readonly string[];
};

/** Transactions per second, as pgbench counts them without the time to connect. */
export async function pgbenchRate({
  program,
  port,
  user,
  password,
  database,
  protocol,
  clients,
  seconds,
  script,
}: PgbenchRun): Promise<number> {
  const words = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-U',
    user,
    '-n',
    '-M',
    protocol,
    '-c',
    String(clients),
    '-j',
    '1',
    '-T',
    String(seconds),
    ...script,
    database,
  ];
  const child = spawn(program, words, {
    env: { ...process.env, PGPASSWORD: password },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number | null];
  const rate = /tps = ([0-9.]+) \(without/.exec(said)?.[1];
  if (code !== 0 || rate === undefined) throw new Error(`pgbench on port ${port} failed: ${said.slice(0, 600)}`);
  return Number(rate);
}

/** The search: one of `rows` e-mail addresses, by equality. On the plain table and on the sealed one alike. */
export async function writeLookupScript(folder: string, table: string, rows: number): Promise<string> {
  const file = join(folder, `lookup-${table}.sql`);
  // The value is text made by the server's own concatenation on a plain table; a sealed position takes a constant or parameter alone,
  // so both scripts send a variable that pgbench itself fills in.
  await writeFile(file, `\\set id random(1, ${rows})\nselect id, note from ${table} where number = :id;\n`);
  return file;
}
