/** A bare forwarder by http-proxy-3: `http-proxy.ts <upstream port>`. */
import { Agent, createServer } from 'node:http';
import { createProxyServer } from 'http-proxy-3';
import { listenFor, SERVER_OPTIONS, upstreamPort } from './forwarder.ts';

const proxy = createProxyServer({
  target: { host: '127.0.0.1', port: upstreamPort() },
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
});
proxy.on('error', (_error, _request, response) => response.destroy());
listenFor(createServer(SERVER_OPTIONS, (request, response) => void proxy.web(request, response)));
