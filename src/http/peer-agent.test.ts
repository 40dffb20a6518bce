/** Real TLS servers, whose authority is trusted no more while their connections and sessions are kept. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificate, CLIENT_CA } from '../../test/support/client-certificates.ts';
import { SERVER_CA, serverCertificate } from '../../test/support/server-certificates.ts';
import { PeerAgent, type PeerTls } from './peer-agent.ts';

const UNTRUSTED = expect.objectContaining({ code: expect.stringMatching(/SIGNED|UNABLE|CERT/u) });

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('over %s', (version) => {
  let server: Server;
  let url: string;
  let tls: PeerTls;
  let agent: PeerAgent;
  /** Answers that wait, and the names that connections showed. */
  let held: ServerResponse[];
  let shown: string[];

  beforeEach(async () => {
    [held, shown] = [[], []];
    const client = { ca: CLIENT_CA, requestCert: true, rejectUnauthorized: false, sessionIdContext: 'test' };
    const settings = { minVersion: version, maxVersion: version, ...client };
    server = createServer({ ...settings, ...serverCertificate('good') }, (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('at once');
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      shown.push(socket.isSessionReused() ? 'resumed' : String(socket.getPeerX509Certificate()?.fingerprint256));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
    tls = { ca: SERVER_CA };
    agent = new PeerAgent({
      tls: () => tls,
      connector: (now) => buildConnector({ allowH2: false, ...now }),
      agent: { connections: 1, pipelining: 1 },
    });
  });
  afterEach(async () => {
    await agent.close();
    server.closeAllConnections();
    server.close();
  });

  async function ask(path: string): Promise<string> {
    const { body } = await agent.current.request({ origin: url, path, method: 'GET' });
    return body.text();
  }

  test('a connection that was kept asks nothing of one whose authority is gone, and a session of it is not resumed', async () => {
    expect([await ask('/'), await ask('/'), shown.length]).toEqual(['at once', 'at once', 1]);
    tls = { ca: CLIENT_CA };
    await expect(ask('/')).rejects.toEqual(UNTRUSTED);
    tls = { ca: SERVER_CA };
    expect(await ask('/')).toBe('at once');
    expect(shown.at(-1)).not.toBe('resumed');
  });

  test.each(['kept', 'closed'])(
    'what is under way ends where it began, and what waits behind it likewise, its connection %s',
    async (left) => {
      const begun = ask('/held');
      await expect.poll(() => held.length).toBe(1);
      const waiting = ask('/');
      tls = { ca: CLIENT_CA };
      // Whoever asks next has it renewed.
      await expect(ask('/')).rejects.toEqual(UNTRUSTED);
      if (left === 'closed') held[0]?.setHeader('connection', 'close');
      held[0]?.end('late');
      expect(await begun).toBe('late');
      // It was asked before; but a connection that is made for it is one of now.
      if (left === 'kept') expect(await waiting).toBe('at once');
      else await expect(waiting).rejects.toEqual(UNTRUSTED);
    },
  );

  test('of connections that were kept before none is left', async () => {
    let open = 0;
    server.on('secureConnection', (socket: TLSSocket) => {
      open += 1;
      socket.once('close', () => (open -= 1));
    });
    for (let round = 0; round < 4; round += 1) {
      tls = { ca: SERVER_CA };
      expect(await ask('/')).toBe('at once');
    }
    await expect.poll(() => open).toBe(1);
  });

  test('a new certificate of ours is shown from the next request on', async () => {
    const [first, second] = [certificate('backup'), certificate('soon')];
    for (const pair of [first, second]) {
      tls = { ca: SERVER_CA, ...pair };
      expect(await ask('/')).toBe('at once');
    }
    expect(new Set(shown).size).toBe(2);
    expect(shown).toHaveLength(2);
  });

  test('closing ends what is under way at a former one too', async () => {
    const begun = ask('/held');
    await expect.poll(() => held.length).toBe(1);
    tls = { ca: SERVER_CA };
    expect(await ask('/')).toBe('at once');
    await Promise.all([agent.close(), expect(begun).rejects.toBeInstanceOf(Error)]);
  });
});
