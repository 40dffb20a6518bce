/** A database of a server that runs, with schema `sealgate` in it: its owner's client, and the connection that the proxy reads the catalog by. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { loadGrammar } from '../../../src/postgres/analysis/text/syntax.ts';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import { ensureSchema } from '../../../src/postgres/service/schema.ts';
import { connectTo } from './connect.ts';
import type { TestPostgres } from './postgres.ts';

export type ServiceDatabase = {
  readonly admin: pg.Client;
  readonly service: ServiceConnection;
  close(): Promise<void>;
};

export async function openServiceDatabase(server: TestPostgres, database: string): Promise<ServiceDatabase> {
  const root = await connectTo(server.url());
  await root.query(`CREATE DATABASE ${database}`);
  await root.end();
  const { host, port, password } = server;
  const service = openServiceConnection({ host, port, user: 'postgres', password, database });
  await ensureSchema(service, randomBytes);
  await loadGrammar();
  const admin = await connectTo(server.url(database));
  const close = async (): Promise<void> => {
    await admin.end();
    await service.close();
  };
  return { admin, service, close };
}
