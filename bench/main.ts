/**
 * `npm run bench [-- s3 postgres memory] [--rounds n] [--seconds n]`: Sealgate beside the plain store, nginx and PgBouncer, in one
 * run. Prints Markdown tables; `bench/README.md` keeps what was measured and the marks aimed at.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { pgbenchRate, writeLookupScript, type PgbenchRun } from './lookups.ts';
import { largeRate, objectClient, smallRate, type Endpoint } from './objects.ts';
import { find, startNginx, startPgBouncer } from './programs.ts';
import { measure, report, type Target } from './rounds.ts';
import { createWorld, DATABASE, peakMemory, ROWS, type World } from './world.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const wanted = positionals.length > 0 ? positionals : ['s3', 'postgres', 'memory'];
const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function benchObjects(world: World): Promise<void> {
  const nginx = await startNginx(world.folder, world.backends.objectsPort);
  if (nginx === undefined) say('nginx is not installed: measured without it');
  const store = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER', bucket: 'plain' };
  const ours = { accessKeyId: 'BENCH', secretAccessKey: world.secret, port: world.sealgate.s3Port };
  const endpoints: readonly Endpoint[] = [
    { name: 'direct', port: world.backends.objectsPort, ...store },
    ...(nginx === undefined ? [] : [{ name: 'nginx', port: nginx.port, ...store }]),
    { name: 'sealgate, pass-through', ...ours, bucket: 'plain' },
    { name: 'sealgate, sealed', ...ours, bucket: 'sealed' },
  ];
  const clients = endpoints.map((endpoint) => ({ name: endpoint.name, client: objectClient(endpoint) }));
  const large = randomBytes(64 * 2 ** 20);
  const against = ['direct', 'nginx'];
  for (const direction of ['put', 'get'] as const) {
    const heavy: readonly Target[] = clients.map(({ name, client }) => ({
      name,
      run: () => largeRate(client, direction, large, 2),
    }));
    print(
      report(`${direction.toUpperCase()} of 64 MiB, one after another`, 'MiB/s', await measure(heavy, rounds), against),
    );
  }
  for (const direction of ['put', 'get'] as const) {
    const light: readonly Target[] = clients.map(({ name, client }) => ({
      name,
      run: () => smallRate(client, direction, 500, 8),
    }));
    print(
      report(`${direction.toUpperCase()} of 1 KiB, 8 at a time`, 'requests/s', await measure(light, rounds), against),
    );
  }
  await Promise.all(clients.map(({ client }) => client.close()));
  await nginx?.stop();
}

async function benchLookups(world: World): Promise<void> {
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

async function benchMemory(world: World): Promise<void> {
  const before = await peakMemory(world.sealgate.pid);
  const client = objectClient({
    name: 'sealed',
    port: world.sealgate.s3Port,
    bucket: 'sealed',
    accessKeyId: 'BENCH',
    secretAccessKey: world.secret,
  });
  const body = randomBytes(64 * 2 ** 20);
  await Promise.all(Array.from({ length: 64 }, (_, index) => client.put(`parallel-${index}`, body)));
  const afterPuts = await peakMemory(world.sealgate.pid);
  await Promise.all(Array.from({ length: 64 }, (_, index) => client.get(`parallel-${index}`)));
  const afterGets = await peakMemory(world.sealgate.pid);
  await client.close();
  const cell = (value: number | undefined): string =>
    value === undefined ? 'not known here' : `${value.toFixed(0)} MiB`;
  print(
    `\n### Largest resident memory of Sealgate\n\n| before | after 64 parallel PUTs of 64 MiB | after 64 parallel GETs of 64 MiB |\n| --- | --- | --- |\n| ${cell(before)} | ${cell(afterPuts)} | ${cell(afterGets)} |`,
  );
}

const world = await createWorld(say);
try {
  print(`Node ${process.version}, ${process.platform} ${process.arch}, ${rounds} interleaved rounds; medians.`);
  if (wanted.includes('memory')) await benchMemory(world);
  if (wanted.includes('s3')) await benchObjects(world);
  if (wanted.includes('postgres')) await benchLookups(world);
} finally {
  await world.close();
}
