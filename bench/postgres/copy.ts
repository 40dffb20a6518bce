/**
 * `npm run bench -- copy`: a million rows by psql's `\copy`, into a plain table directly and into one with a sealed column through
 * Sealgate, and out again. What counts is rows for a second of the proxy's CPU time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cpuSeconds } from '../cost.ts';
import type { BenchOptions } from '../options.ts';
import { find } from '../programs.ts';
import { median } from '../rounds.ts';
import { createPostgresWorld, DATABASE, USER, type PostgresWorld } from './world.ts';

const COPIED_ROWS = 1_000_000;

type Copy = {
  readonly name: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly command: string;
};
type Sample = { readonly perSecond: number; readonly perCpuSecond: number | undefined };

export async function benchCopy(options: BenchOptions): Promise<void> {
  const program = find('psql');
  if (program === undefined) return options.say('psql is not installed: COPY is not measured');
  const world = await createPostgresWorld(options.say);
  try {
    const copies = await copiesOf(world);
    const samples = new Map(copies.map(({ name }) => [name, [] as Sample[]]));
    for (let round = 0; round < options.rounds; round += 1)
      for (const copy of copies) samples.get(copy.name)?.push(await measure(program, world, copy));
    options.print(report(samples));
  } finally {
    await world.close();
  }
}

async function copiesOf({ folder, postgresPort, sealgate }: PostgresWorld): Promise<readonly Copy[]> {
  const file = join(folder, 'rows.txt');
  await pipeline(Readable.from(rows()), createWriteStream(file));
  const into = (table: string): string => `truncate ${table}; \\copy ${table} from '${file}'`;
  const outOf = (table: string): string => `\\copy ${table} to '${join(folder, 'out.txt')}'`;
  const direct = { port: postgresPort, pid: undefined };
  return [
    { name: 'in, plain, direct', ...direct, command: into('plain_load') },
    { name: 'in, one sealed column', ...sealgate, command: into('sealed_load') },
    { name: 'out, plain, direct', ...direct, command: outOf('plain_load') },
    { name: 'out, one sealed column', ...sealgate, command: outOf('sealed_load') },
  ];
}

function* rows(): Generator<string> {
  for (let at = 0; at < COPIED_ROWS; at += 1000)
    yield Array.from(
      { length: 1000 },
      (_, index) => `${at + index}\tperson ${at + index}@example.org\tsome words\n`,
    ).join('');
}

async function measure(program: string, world: PostgresWorld, { port, pid, command }: Copy): Promise<Sample> {
  const before = await cpuSeconds(pid);
  const start = performance.now();
  const words = ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', String(port), '-U', USER, '-d', DATABASE];
  const child = spawn(program, words, {
    env: { ...process.env, PGPASSWORD: world.password },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(command.replaceAll('; ', ';\n'));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`psql failed: ${command}`);
  const seconds = (performance.now() - start) / 1000;
  const after = await cpuSeconds(pid);
  const cpu = before === undefined || after === undefined ? undefined : after - before;
  return { perSecond: COPIED_ROWS / seconds, perCpuSecond: cpu === undefined ? undefined : COPIED_ROWS / cpu };
}

function report(samples: ReadonlyMap<string, readonly Sample[]>): string {
  const lines = [...samples].map(([name, all]) => {
    const cpu = all.flatMap(({ perCpuSecond }) => (perCpuSecond === undefined ? [] : [perCpuSecond]));
    const speed = median(all.map(({ perSecond }) => perSecond)).toFixed(0);
    return `| ${name} | ${speed} | ${cpu.length === 0 ? '' : median(cpu).toFixed(0)} |`;
  });
  const head = '| COPY | rows/s | rows for a CPU second of the proxy |\n| --- | --- | --- |';
  return `\n### COPY of ${COPIED_ROWS} rows\n\n${head}\n${lines.join('\n')}`;
}
