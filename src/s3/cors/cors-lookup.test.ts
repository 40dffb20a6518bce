import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { fixedCredentials } from '../../sigv4/credentials.ts';
import { AWS_CAPABILITIES } from '../upstream/capabilities.ts';
import { SigningClient } from '../upstream/signing-client.ts';
import { CorsLookup } from './cors-lookup.ts';

const RULES =
  '<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>';

test('a bucket is asked about while a download holds the only connection for objects', async () => {
  // Of an object it sends the beginning alone.
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.includes('cors') === true) outgoing.end(RULES);
    else outgoing.writeHead(200, { 'content-length': '1000000000' }).write('begun');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo; // A TCP server has an address object.
  const client = new SigningClient({
    endpoint: { url: new URL(`http://127.0.0.1:${port}`), addressing: 'path' },
    region: 'us-east-1',
    credentials: fixedCredentials({ accessKeyId: 'key', secretAccessKey: 'secret' }),
    capabilities: AWS_CAPABILITIES,
    now: Date.now,
    maxConnections: 1,
  });
  try {
    await client.send({ method: 'GET', bucket: 'b', key: 'k' });
    expect((await new CorsLookup().of('b', client)).type).toBe('rules');
  } finally {
    server.closeAllConnections();
    server.close();
    await client.close();
  }
});
