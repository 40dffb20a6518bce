/** Which server a session goes to: several of one upstream, a real primary and its standby, databases elsewhere, Unix sockets on either side. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { serialize } from 'pg-protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTo } from '../../support/postgres/connect.ts';
import type {
  PostgresProxyOptions,
  ServerAddress,
  TargetServer,
  UpstreamOptions,
} from '../../../src/postgres/options.ts';
import { openServiceConnection } from '../../../src/postgres/service/connection.ts';
import { poolingAt } from '../../../src/postgres/service/pooling.ts';
import { askServers } from '../../../src/postgres/service/server-roles.ts';
import { startPostgres, type TestPostgres } from '../../support/postgres/postgres.ts';
import { RawClient, startTestProxy, type TestProxy } from '../../support/postgres/proxy.ts';
import { untilRuns } from '../../support/postgres/waits.ts';
import { startStandby, type Standby } from '../../support/postgres/standby.ts';

let folder: string;
let primary: TestPostgres;
let standby: Standby;
let other: TestPostgres;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-sockets-'));
  await chmod(folder, 0o777);
  [primary, other] = await Promise.all([
    startPostgres([`unix_socket_directories=${folder}`]),
    startPostgres(['cluster_name=other']),
  ]);
  standby = await startStandby(primary);
});
afterAll(async () => {
  await standby.stop();
  await Promise.all([primary.stop(), other.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** AuthenticationOk and ReadyForQuery. */
const WELCOME = Uint8Array.of(0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49);
const DEAD: ServerAddress = { host: '127.0.0.1', port: 1 };
const plain = { mode: 'disable' } as const;
/** With who says nothing; who is only slow, on a busy machine, has answered by then. */
const PATIENCE_MS = 3000;
const roles = askServers(({ host, port }) =>
  Promise.resolve({ host, port, user: 'postgres', password: primary.password, database: 'postgres' }),
);
const upstream = (servers: readonly ServerAddress[], more: Partial<UpstreamOptions> = {}): UpstreamOptions => ({
  servers,
  tls: plain,
  roles,
  ...more,
});

async function withProxy<Result>(
  options: Partial<PostgresProxyOptions>,
  work: (proxy: TestProxy) => Promise<Result>,
): Promise<Result> {
  const proxy = await startTestProxy(primary, options);
  try {
    return await work(proxy);
  } finally {
    await proxy.close();
  }
}

async function portOf(url: string): Promise<number> {
  const client = await connectTo(url);
  const { rows } = await client.query<{ port: number }>("SELECT current_setting('port')::int AS port");
  await client.end();
  return rows[0]?.port ?? 0;
}

/** Accepts, and does as it is told. */
async function startServer(serve: (socket: Socket) => void): Promise<{ server: Server; address: ServerAddress }> {
  const server = createServer(serve);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  // A listening TCP server has an address object.
  return { server, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

describe('several servers', () => {
  test('the first that can be reached is used, in the order in which they are listed', async () => {
    await withProxy({ upstream: upstream([DEAD, standby, primary]) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(standby.port);
    });
    await withProxy({ upstream: upstream([primary, standby]) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
  });

  test('in an order that is drawn, each comes first at times', async () => {
    await withProxy({ upstream: upstream([primary, standby], { order: 'random' }) }, async (proxy) => {
      const ports = new Set<number>();
      while (ports.size < 2) ports.add(await portOf(proxy.url()));
      expect([...ports].sort()).toEqual([primary.port, standby.port].sort());
    });
  });

  test('one that accepts and says nothing costs its timeout once, and then comes last', async () => {
    const open = new Set<Socket>();
    let asked = 0;
    const { server, address } = await startServer((socket) => {
      asked += 1;
      open.add(socket);
      socket.on('error', () => undefined);
    });
    await withProxy({ upstream: upstream([address, primary], { connectTimeoutMs: PATIENCE_MS }) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
      expect(await portOf(proxy.url())).toBe(primary.port);
      expect(asked).toBe(1);
    });
    for (const socket of open) socket.destroy();
    server.close();
  });

  test('what one that is passed over has said ends its connection, whether it closes it or not', async () => {
    const error = Buffer.from('SFATAL\0C57P03\0Mthe database system is starting up\0\0');
    const starting = Buffer.concat([Uint8Array.of(0x45, 0, 0, 0, error.length + 4), error]);
    // Of a server that has no process left: an error of protocol 2 (report_fork_failure_to_client).
    const full = Buffer.from('Ecould not fork new process for connection\n\0');
    for (const words of [starting, full]) {
      const open = new Set<Socket>();
      const { server, address } = await startServer((socket) => {
        open.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => open.delete(socket));
        socket.once('data', () => socket.write(words));
      });
      await withProxy({ upstream: upstream([address, primary]) }, async (proxy) => {
        expect(await portOf(proxy.url())).toBe(primary.port);
        await expect.poll(() => open.size).toBe(0);
      });
      server.close();
    }
  });

  test('one that does not take connections yet (57P03) is passed over; its words are told where there is no other', async () => {
    const error = Buffer.from('SFATAL\0C57P03\0Mthe database system is starting up\0\0');
    const frame = Buffer.concat([Uint8Array.of(0x45, 0, 0, 0, error.length + 4), error]);
    const { server, address } = await startServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(frame));
    });
    await withProxy({ upstream: upstream([address, primary]) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
    await withProxy({ upstream: upstream([address, DEAD]) }, async (proxy) => {
      await expect(portOf(proxy.url())).rejects.toMatchObject({ code: '57P03' });
    });
    server.close();
  });

  test('where none is left the client is told so', async () => {
    await withProxy({ upstream: upstream([DEAD, { ...DEAD, port: 2 }]) }, async (proxy) => {
      await expect(portOf(proxy.url())).rejects.toMatchObject({ code: '08001' });
    });
  });
});

describe('target_session_attrs', () => {
  const cases: readonly (readonly [TargetServer, () => number])[] = [
    ['any', () => standby.port],
    ['read-write', () => primary.port],
    ['primary', () => primary.port],
    ['read-only', () => standby.port],
    ['standby', () => standby.port],
    ['prefer-standby', () => standby.port],
  ];

  test.each(cases)('%s, whichever is listed first', async (target, expected) => {
    await withProxy({ upstream: upstream([standby, primary], { target }) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(expected());
    });
    if (target === 'any') return;
    await withProxy({ upstream: upstream([DEAD, primary, standby], { target }) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(expected());
    });
  });

  test('prefer-standby takes the primary where there is no standby; standby does not', async () => {
    await withProxy({ upstream: upstream([primary, DEAD], { target: 'prefer-standby' }) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
    await withProxy({ upstream: upstream([primary, DEAD], { target: 'standby' }) }, async (proxy) => {
      await expect(portOf(proxy.url())).rejects.toMatchObject({ code: '08001' });
    });
  });

  test('a primary whose sessions are read-only by default is none for read-write', async () => {
    const admin = await connectTo(primary.url());
    await admin.query('CREATE DATABASE frozen');
    await admin.query('ALTER DATABASE frozen SET default_transaction_read_only = on');
    const frozen = askServers(({ host, port }) =>
      Promise.resolve({ host, port, user: 'postgres', password: primary.password, database: 'frozen' }),
    );
    await withProxy({ upstream: upstream([primary], { target: 'read-write', roles: frozen }) }, async (proxy) => {
      await expect(portOf(proxy.url('frozen'))).rejects.toMatchObject({ code: '08001' });
    });
    await admin.query('DROP DATABASE frozen');
    await admin.end();
  });

  test.each(['connecting', 'asked'])('a server that falls silent, %s, is passed over', async (when) => {
    const open = new Set<Socket>();
    const { server, address } = await startServer((socket) => {
      open.add(socket);
      socket.on('error', () => undefined);
      if (when === 'asked') socket.once('data', () => socket.write(WELCOME));
    });
    const options = { target: 'read-write', connectTimeoutMs: PATIENCE_MS } as const;
    await withProxy({ upstream: upstream([address, primary], options) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
    const login = { host: address.host, port: address.port, user: 'postgres', connectionTimeoutMillis: PATIENCE_MS };
    expect(await poolingAt([() => Promise.resolve(login)])).toMatchObject({ type: 'unknown' });
    for (const socket of open) socket.destroy();
    server.close();
  });

  test('sessions that come together ask once', async () => {
    let asked = 0;
    const counted = {
      roleOf: (server: ServerAddress) => {
        asked += 1;
        return roles.roleOf(server, 10_000);
      },
    };
    await withProxy({ upstream: upstream([primary], { target: 'primary', roles: counted }) }, async (proxy) => {
      await Promise.all(Array.from({ length: 8 }, () => portOf(proxy.url())));
      expect(asked).toBe(1);
    });
  });
});

describe('databases elsewhere', () => {
  test('go to their own server, all others to the usual one', async () => {
    const routes = new Map([['template1', upstream([other])]]);
    await withProxy({ routes }, async (proxy) => {
      expect(await portOf(proxy.url('template1'))).toBe(other.port);
      expect(await portOf(proxy.url('postgres'))).toBe(primary.port);
    });
  });

  test('a cancel request reaches the server that runs the statement, through another process of the proxy too', async () => {
    const options = { upstream: upstream([DEAD, primary]), routes: new Map([['template1', upstream([other])]]) };
    const [one, two] = await Promise.all([startTestProxy(primary, options), startTestProxy(primary, options)]);
    for (const through of [one, two]) {
      for (const database of ['postgres', 'template1']) {
        const client = await connectTo(one.url(database));
        const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }; // npm pg keeps BackendKeyData there
        const sleeping = client.query('SELECT pg_sleep(30)');
        const cancelled = expect(sleeping).rejects.toMatchObject({ code: '57014' });
        await untilRuns(database === 'postgres' ? primary : other, 'SELECT pg_sleep(30)');
        const canceller = await RawClient.connect(through.port);
        canceller.send(serialize.cancel(processID, secretKey));
        expect(await canceller.untilClosed()).toEqual([]);
        await cancelled;
        await client.end();
      }
    }
    await Promise.all([one.close(), two.close()]);
  });
});

describe('Unix sockets', () => {
  const throughSocket = async (port: number): Promise<number> => {
    const client = new pg.Client({
      host: folder,
      port,
      user: 'postgres',
      password: primary.password,
      database: 'postgres',
    });
    await client.connect();
    const { rows } = await client.query<{ port: number }>("SELECT current_setting('port')::int AS port");
    await client.end();
    return rows[0]?.port ?? 0;
  };

  test('to the server, whatever the TLS mode: there is none on them', async () => {
    const servers = [{ host: folder, port: primary.port }];
    await withProxy({ upstream: { servers, tls: { mode: 'verify-full' } } }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
  });

  test('from clients, alone or beside TCP; the file goes with the proxy', async () => {
    const path = join(folder, '.s.PGSQL.7001');
    await withProxy({ listen: { port: 7001, socket: folder } }, async () => {
      expect((await stat(path)).isSocket()).toBe(true);
      expect(await throughSocket(7001)).toBe(primary.port);
    });
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    const both = await startTestProxy(primary, { listen: { host: '127.0.0.1', port: 0 } });
    await both.close();
    await withProxy({ listen: { host: '127.0.0.1', port: both.port, socket: folder } }, async (proxy) => {
      expect(await throughSocket(both.port)).toBe(primary.port);
      expect(await portOf(proxy.url())).toBe(primary.port);
    });
  });

  test('where the port is taken, nobody is served by the socket either', async () => {
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    // A listening TCP server has an address object.
    const { port } = taken.address() as AddressInfo;
    const started = startTestProxy(primary, { listen: { host: '127.0.0.1', port, socket: folder } });
    await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(stat(join(folder, `.s.PGSQL.${port}`))).rejects.toMatchObject({ code: 'ENOENT' });
    taken.close();
  });

  test('what a killed process left is replaced, a live one is not', async () => {
    const path = join(folder, '.s.PGSQL.7002');
    const live = createServer((socket) => socket.destroy());
    await once(live.listen(path), 'listening');
    await expect(startTestProxy(primary, { listen: { port: 7002, socket: folder } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await new Promise<void>((resolve) => live.close(() => resolve()));
    await writeFile(path, '');
    // A file that is no socket is nobody's to remove.
    await expect(startTestProxy(primary, { listen: { port: 7002, socket: folder } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await rm(path);
    const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program]);
    expect((await stat(path)).isSocket()).toBe(true);
    await withProxy({ listen: { port: 7002, socket: folder } }, async () => {
      expect(await throughSocket(7002)).toBe(primary.port);
    });
  });
});

describe('the proxy’s own connection', () => {
  test('a server that will not say what it is keeps none of those that asked', async () => {
    const admin = await connectTo(other.url());
    await admin.query("CREATE ROLE asking LOGIN PASSWORD 'asks'");
    await admin.query('REVOKE EXECUTE ON FUNCTION pg_catalog.pg_is_in_recovery() FROM PUBLIC');
    const login = { user: 'asking', password: 'asks', database: 'postgres' };
    const service = openServiceConnection({ ...login, host: other.host, port: other.port, others: [DEAD] });
    await expect(service.query('SELECT 1')).rejects.toThrow();
    const asking = async () =>
      (await admin.query("SELECT 1 FROM pg_stat_activity WHERE usename = 'asking'")).rows.length;
    await expect.poll(asking).toBe(0);
    await service.close();
    await admin.query('GRANT EXECUTE ON FUNCTION pg_catalog.pg_is_in_recovery() TO PUBLIC');
    await admin.query('DROP ROLE asking');
    await admin.end();
  });

  test('of several servers it uses the one that can be written to, and finds the next one after a failover', async () => {
    const login = { user: 'postgres', password: primary.password, database: 'postgres' };
    const at = ({ host, port }: ServerAddress) => ({ host, port });
    const service = openServiceConnection({ ...login, ...at(standby), others: [at(DEAD), at(primary)] });
    const port = async () =>
      (await service.query<{ port: number }>("SELECT current_setting('port')::int AS port"))[0]?.port;
    expect(await port()).toBe(primary.port);
    await primary.stop();
    await standby.promote();
    await expect.poll(port).toBe(standby.port);
    await service.transaction((session) => session.query('CREATE TABLE public.written_after (id int)'));
    await service.close();
  });

  test('a session goes to the new primary then', async () => {
    await withProxy({ upstream: upstream([primary, standby], { target: 'read-write' }) }, async (proxy) => {
      expect(await portOf(proxy.url())).toBe(standby.port);
    });
  });
});
