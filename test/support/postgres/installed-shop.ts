/** An operator's own installation in front of database `shop`, whose tables hold plaintext so far: for commands that seal, unseal and explain. */
import type pg from 'pg';
import { connectTo } from './connect.ts';
import { install, type Installation } from '../installation.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

export type InstalledShop = {
  readonly server: TestPostgres;
  readonly installation: Installation;
  /** Past the proxy, as superuser. */
  readonly direct: pg.Client;
  close(): Promise<void>;
};

/** Who owns the tables, as options of a command. */
export const AS_OWNER = ['--user', 'owner', '--password-file', 'owner.password'];

/** `tables` is run as their owner; `rules` are lines of the config's `columns`. */
export async function installShop(tables: string, rules: readonly string[]): Promise<InstalledShop> {
  const server = await startPostgres();
  const { host, port } = server;
  const root = await connectTo(server.url());
  await root.query('CREATE DATABASE shop');
  await root.query(
    "CREATE ROLE sealgate LOGIN PASSWORD 'service'; GRANT CREATE ON DATABASE shop TO sealgate; CREATE ROLE owner LOGIN PASSWORD 'owner'",
  );
  await root.end();
  const direct = await connectTo(server.url('shop'));
  await direct.query(`GRANT ALL ON SCHEMA public TO owner; SET ROLE owner; ${tables}; RESET ROLE`);
  const installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${host}, port: ${port}, tls: { mode: disable } }
  databases:
    - { name: shop, service: { user: sealgate, password: service } }
  columns:
${rules.map((rule) => `    - ${rule}`).join('\n')}
`,
    ['shop'],
    { 'owner.password': 'owner\n' },
  );
  const close = async (): Promise<void> => {
    await installation.remove();
    await direct.end();
    await server.stop();
  };
  return { server, installation, direct, close };
}
