/** The proxy's own connections, under an authority that is trusted no more: real TLS, real PostgreSQL. */
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openServiceConnection, type ServiceConnection } from '../../../src/postgres/service/connection.ts';
import { SERVER_CERTIFICATE_PEM, SERVER_KEY_PEM, TEST_CA_PEM } from '../../support/certificates.ts';
import { CLIENT_CA } from '../../support/client-certificates.ts';
import { connectTo } from '../../support/postgres/connect.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { reloadConfig } from '../../support/postgres/waits.ts';

let server: TestPostgres;
let tls: { readonly ca: string };
let service: ServiceConnection;

beforeAll(async () => {
  server = await startPostgres();
  const { uid, gid } = await stat(server.dataDirectory);
  for (const [name, text] of [
    ['server.crt', SERVER_CERTIFICATE_PEM],
    ['server.key', SERVER_KEY_PEM],
  ] as const) {
    const path = join(server.dataDirectory, name);
    await writeFile(path, text);
    await chown(path, uid, gid);
    await chmod(path, 0o600);
  }
  const admin = await connectTo(server.url());
  await admin.query('alter system set ssl = on');
  await admin.end();
  await reloadConfig(server);
  tls = { ca: TEST_CA_PEM };
  service = openServiceConnection({
    ...{ host: '127.0.0.1', port: server.port, user: server.superuser, password: server.password },
    database: 'postgres',
    maxConnections: 2,
    tls: () => tls,
    ssl: {
      get ca() {
        return tls.ca;
      },
    },
  });
});
afterAll(async () => {
  await service.close();
  await server.stop();
});

const backend = async (on: Pick<ServiceConnection, 'query'> = service): Promise<unknown> =>
  (await on.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid;

test('A connection that was kept asks nothing of a server whose authority is gone; what is under way ends', async () => {
  const kept = await backend();
  expect(await backend()).toBe(kept);
  await service.transaction(async (session) => {
    const under = await backend(session);
    tls = { ca: CLIENT_CA };
    expect(await backend(session)).toBe(under);
  });
  for (const ask of [backend, () => service.dryRun(backend)])
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_POSTGRES_SERVICE_UNREACHABLE' });
  tls = { ca: TEST_CA_PEM };
  const pids = [await backend(), await backend()];
  expect(pids).toEqual([pids[1], pids[0]]);
  expect(pids).not.toContain(kept);
});

test('Those who wait for a connection get one of now', async () => {
  const end = Promise.withResolvers<void>();
  const begun = [0, 1].map(() => Promise.withResolvers<unknown>());
  const held = begun.map(({ resolve }) =>
    service.transaction(async (session) => {
      resolve(await backend(session));
      await end.promise;
    }),
  );
  const old = await Promise.all(begun.map(({ promise }) => promise));
  const waiting = Array.from({ length: 5 }, () => backend());
  tls = { ca: `${TEST_CA_PEM}\n` };
  end.resolve();
  await Promise.all(held);
  const pids = await Promise.all(waiting);
  expect(pids.filter((pid) => old.includes(pid))).toEqual([]);
});
