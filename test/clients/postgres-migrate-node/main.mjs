// Knex's and node-pg-migrate's migrations: `main.mjs <packages> up|down <tool> <url>`. Prints `ok`.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as knexSteps from './knex-steps.mjs';

const [, , packages, direction, tool, url] = process.argv;
const require = createRequire(join(packages, 'package.json'));

async function withKnex() {
  const knex = require('knex')({ client: 'pg', connection: url });
  // Its own table of what has run, as with files.
  const names = Object.keys(knexSteps);
  const migrationSource = {
    getMigrations: () => Promise.resolve(names),
    getMigrationName: (name) => name,
    getMigration: (name) => Promise.resolve(knexSteps[name]),
  };
  const config = { migrationSource, tableName: 'knex_done' };
  if (direction === 'up') await knex.migrate.latest(config);
  else await knex.migrate.rollback(config, true);
  await knex.destroy();
}

async function withNodePgMigrate() {
  const { runner } = await import(pathToFileURL(require.resolve('node-pg-migrate')).href);
  const silent = { debug() {}, info() {}, warn() {}, error: console.error };
  await runner({
    databaseUrl: url,
    dir: join(import.meta.dirname, 'node-pg-migrate'),
    direction,
    count: Infinity,
    migrationsTable: 'node_pg_done',
    logger: silent,
  });
}

await (tool === 'knex' ? withKnex() : withNodePgMigrate());
console.log('ok');
