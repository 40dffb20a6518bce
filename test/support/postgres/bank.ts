/** `sealgate up` in front of database `bank`, whose table `secrets` is there already, as programs of the environment PG* are told of it. */
import { applyDdl, install, type Installation } from '../installation.ts';
import type { TestPostgres } from './postgres.ts';

export type Bank = {
  readonly installation: Installation;
  /** Where libpq's programs find the proxy, as role `app`. */
  readonly env: NodeJS.ProcessEnv;
};

export async function openBank(server: TestPostgres): Promise<Bank> {
  const installation = await install(
    `
postgres:
  listen: { host: 127.0.0.1, port: 0 }
  upstream: { host: ${server.host}, port: ${server.port}, tls: { mode: disable } }
  databases:
    - { name: bank, service: { user: sealgate, password: service-password } }
  columns:
    - { column: bank.public.secrets.code, type: bigint, key: alias/bank, mode: deterministic }
    - { column: bank.public.secrets.note, type: text, key: alias/bank }
`,
    ['bank'],
  );
  await applyDdl(installation, server, 'bank');
  const { ports } = await installation.up();
  const env = {
    ...process.env,
    PGHOST: '127.0.0.1',
    PGPORT: String(ports['postgres']),
    PGUSER: 'app',
    PGPASSWORD: 'app-password',
    PGDATABASE: 'bank',
  };
  return { installation, env };
}
