/**
 * Captures anew what the applications send to a plain PostgreSQL, into `captured/`:
 *
 *   node src/bootstrap.mjs run node test/captured-sql/capture.ts [application...]
 *
 * Run after an application or an ORM's version changed; npm and PyPI must be reachable.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectTo } from '../support/postgres/connect.ts';
import { start } from '../support/run.ts';
import { startPostgres } from '../support/postgres/postgres.ts';
import { APPLICATIONS, type Application } from './applications.ts';
import { startRecorder } from './recorder.ts';
import { ddl } from './shop.ts';

const FOLDER = join(import.meta.dirname, 'captured');

async function capture({ name, title, build, words }: Application): Promise<void> {
  const client = await build();
  if (client.type === 'none') throw new Error(client.reason);
  const server = await startPostgres(['timezone=UTC']);
  const recorder = await startRecorder(server.port);
  try {
    const direct = await connectTo(server.url());
    await direct.query(ddl(false));
    await direct.end();
    const [program, ...before] = client.words;
    const url = `postgres://${server.superuser}:${server.password}@127.0.0.1:${recorder.port}/postgres`;
    const { code, stdout, stderr } = await start(program, [...before, ...words, url]).done;
    const { connections, exchanges } = recorder.taken();
    if (code !== 0 || !stdout.includes('ok'))
      throw new Error(`${name}: ${stderr}${stdout}\n${JSON.stringify(exchanges.slice(-2))}`);
    // An exchange a line: what changes between two captures can be read.
    const lines = exchanges.map((exchange) => JSON.stringify(exchange)).join(',\n');
    const head = `{"application":${JSON.stringify(title)},\n"connections":${JSON.stringify(connections)},`;
    await mkdir(FOLDER, { recursive: true });
    await writeFile(join(FOLDER, `${name}.json`), `${head}\n"exchanges":[\n${lines}\n]}\n`);
    console.log(`${name}: ${exchanges.length} exchanges on ${connections.length} connections`);
  } finally {
    recorder.close();
    await server.stop();
  }
}

const asked = process.argv.slice(2);
for (const application of APPLICATIONS)
  if (asked.length === 0 || asked.includes(application.name)) await capture(application);
