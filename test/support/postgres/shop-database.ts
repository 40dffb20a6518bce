/** The database of tests that run `sealgate up` as its operator does. */
import { connectTo } from './connect.ts';
import type { CliFolder } from '../cli.ts';
import type { TestPostgres } from './postgres.ts';

/** Makes database `shop` with these tables and what `sealgate check --ddl` asks for, as the superuser. */
export async function createShop(server: TestPostgres, cli: CliFolder, tables: string): Promise<void> {
  const admin = await connectTo(server.url());
  await admin.query('create database shop');
  await admin.end();
  const owner = await connectTo(server.url('shop'));
  await owner.query(tables);
  await owner.query((await cli.run('check', '--ddl')).stdout.toString().replaceAll(/^\\.*$/gmu, ''));
  await owner.end();
}
