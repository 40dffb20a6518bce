/**
 * `npm run bench -- analysis`: what a statement of not quite 2 kB costs the proxy before it is sealed, when it comes again: its bytes become text, it is
 * asked whether it may concern something sealed, and its plan is found. With parameters the text is the same each time; with literals
 * another one each time, as applications that paste values into their SQL send it. Against the catalog of a real server, in this process.
 */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackends } from '../../src/cli/demo/servers.ts';
import { createAnalyzer, type StatementAnalyzer } from '../../src/postgres/analysis/analyzer.ts';
import { columnsAsIfSealed } from '../../src/postgres/explain/as-if-sealed.ts';
import { openServiceConnection } from '../../src/postgres/service/connection.ts';
import { ensureSchema } from '../../src/postgres/service/schema.ts';
import type { SealRule } from '../../src/postgres/service/rules.ts';
import { initialSettings } from '../../src/postgres/session/settings.ts';
import { strictTextOf } from '../../src/postgres/wire/reader.ts';
import { costTable, measureCost, type Cost } from '../kms/cost-table.ts';
import type { BenchOptions } from '../options.ts';
import { DATABASE, prepareDatabase, USER } from './world.ts';

const STATEMENTS = 20_000;
const MAX_BYTES = 2000;

const RULE: SealRule = {
  database: DATABASE,
  schema: 'public',
  table: 'sealed_people',
  column: 'number',
  type: 'integer',
  keyId: 'alias/bench',
  mode: 'deterministic',
  domain: undefined,
  guard: true,
};

export async function benchAnalysis({ rounds, say, print }: BenchOptions): Promise<void> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-bench-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const password = randomBytes(12).toString('hex');
  say('starting PostgreSQL …');
  const backends = await startBackends(folder, password);
  started.defer(() => backends.stop());
  const analyzer = await openAnalyzer(backends.postgresPort, password, started);
  const works = [
    { name: 'with parameters', texts: [statement(() => '$1', '$2')] },
    { name: 'with literals, another text each time', texts: Array.from({ length: STATEMENTS }, literals) },
  ].map(({ name, texts }) => ({ name, texts: texts.map((text) => Buffer.from(text)) }));
  const costs = new Map<string, Cost[]>(works.map(({ name }) => [name, []]));
  for (const { texts } of works) await planAll(analyzer, texts);
  for (let round = 0; round < rounds; round += 1)
    for (const { name, texts } of works)
      costs.get(name)?.push(await measureCost(process.pid, STATEMENTS, () => planAll(analyzer, texts)));
  const bytes = works.map(({ texts }) => texts[0]?.length ?? 0).join(' and ');
  print(costTable(`Analysis of a statement that comes again (${bytes} bytes)`, 'statements', [...costs]));
}

async function openAnalyzer(port: number, password: string, started: AsyncDisposableStack): Promise<StatementAnalyzer> {
  await prepareDatabase(port, password);
  const service = openServiceConnection({
    host: '127.0.0.1',
    port,
    user: 'sealgate',
    password,
    database: DATABASE,
  });
  started.defer(() => service.close());
  await ensureSchema(service, randomBytes);
  const analyzer = await createAnalyzer({
    database: DATABASE,
    service,
    rules: [RULE],
    resolveColumns: () => columnsAsIfSealed(service, [RULE]),
  });
  started.defer(() => analyzer.close());
  return analyzer;
}

/** A lookup by a sealed column beside as many other conditions as MAX_BYTES have room for. */
function statement(other: (index: number) => string, sought: string): string {
  let conditions = '';
  for (let index = 0; ; index += 1) {
    const more = ` and note is distinct from ${other(index)}`;
    const sql = `select id, note from sealed_people where number = ${sought}${conditions}`;
    if (sql.length + more.length > MAX_BYTES) return sql;
    conditions += more;
  }
}

const literals = (_: unknown, at: number): string =>
  statement((index) => `'note ${(at * 7 + index) % 100_000}'`, String(at % 100_000));

/** As the session asks. */
async function planAll(analyzer: StatementAnalyzer, texts: readonly Uint8Array[]): Promise<void> {
  const settings = initialSettings(USER, DATABASE);
  for (let index = 0; index < STATEMENTS; index += 1) {
    const sql = strictTextOf(texts[index % texts.length] ?? new Uint8Array()) ?? '';
    if (!analyzer.mayConcern(sql)) throw new Error('the statement is not looked at');
    const planned = analyzer.plan(sql, [], settings);
    const [plan] = planned instanceof Promise ? await planned : planned;
    if (plan?.type !== 'sealed') throw new Error(`the statement is not sealed: ${JSON.stringify(plan)}`);
  }
}
