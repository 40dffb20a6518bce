/** A bare forwarder by `undici.request`, as its manual shows it: `undici-request.ts <upstream port>`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Agent } from 'undici';
import { listenFor, SERVER_OPTIONS, upstreamPort } from './forwarder.ts';

const agent = new Agent({ connections: 64, pipelining: 1 });
const origin = `http://127.0.0.1:${upstreamPort()}`;

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const { host: _host, connection: _connection, ...headers } = request.headers;
  const answer = await agent.request({
    origin,
    path: url,
    method: method === 'PUT' ? 'PUT' : 'GET',
    headers,
    body: method === 'PUT' ? request : null,
  });
  response.writeHead(answer.statusCode, answer.headers);
  await pipeline(answer.body, response);
}

listenFor(
  createServer(SERVER_OPTIONS, (request, response) => {
    forward(request, response).catch(() => response.destroy());
  }),
);
