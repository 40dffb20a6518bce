/**
 * `npm run bench -- bounds`: what a proxy in Node can reach at all beside PgBouncer: a relay that understands nothing, and one that also does
 * what the formats ask for a sealed lookup (`bare-relay.ts`), both on a plain table; with Sealgate beside them, in each protocol for 8 clients.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../../src/cli/demo/servers.ts';
import type { BenchOptions } from '../options.ts';
import { find, untilListening } from '../programs.ts';
import { measureRounds, type Subject } from './measure.ts';
import { pgbench, PROTOCOLS, writeLookup } from './pgbench.ts';
import { caseTable } from './report.ts';
import { createPostgresWorld, DATABASE, ROWS, USER, type PostgresWorld } from './world.ts';

const CLIENTS = 8;
const PROGRAM = join(import.meta.dirname, 'bare-relay.ts');

export async function benchBounds(options: BenchOptions): Promise<void> {
  const { rounds, seconds, say, print } = options;
  const program = find('pgbench');
  if (program === undefined) return say('pgbench is not installed: Postgres is not measured');
  await using started = new AsyncDisposableStack();
  const world = await createPostgresWorld(say);
  started.defer(() => world.close());
  const { folder, pgbouncer, sealgate, password } = world;
  if (pgbouncer === undefined) return say('PgBouncer is not installed: nothing to be a part of');
  const lookup = (table: string): Promise<readonly string[]> =>
    writeLookup(folder, { table, columns: 'id, note', rows: ROWS });
  const [plain, sealed] = [await lookup('plain_people'), await lookup('sealed_people')];
  const base = 'PgBouncer';
  const targets = [
    { ...pgbouncer, name: base, base: undefined, script: plain },
    { ...(await relay(world, 'relay', started)), name: 'a bare relay in Node', base, script: plain },
    { ...sealgate, name: 'Sealgate, untouched', base, script: plain },
    {
      ...(await relay(world, join(folder, 'records'), started)),
      name: 'a bare relay that makes what the formats ask of a lookup',
      base,
      script: plain,
    },
    { ...sealgate, name: 'Sealgate, sealed lookup', base, script: sealed },
  ];
  const common = { program, user: USER, password, database: DATABASE, seconds, clients: CLIENTS };
  for (const protocol of PROTOCOLS) {
    const title = `${protocol} protocol, ${CLIENTS} clients`;
    say(title);
    const subjects = targets.map(({ port, script, name, pid, base: of }): Subject => ({
      name,
      pid,
      base: of,
      run: () => pgbench({ ...common, port, script, protocol }),
    }));
    print(caseTable({ title, measured: await measureRounds(subjects, rounds) }));
  }
}

async function relay(
  { postgresPort }: PostgresWorld,
  file: string,
  started: AsyncDisposableStack,
): Promise<{ readonly port: number; readonly pid: number }> {
  const port = await freePort();
  const child = spawn(process.execPath, [PROGRAM, String(port), String(postgresPort), file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  started.defer(async () => {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGTERM')) await exited;
  });
  await untilListening(port);
  return { port, pid: child.pid ?? 0 };
}
