/** A bare forwarder on the gateway's own way through undici (`src/s3/upstream/dispatch.ts`): `undici-dispatch.ts <upstream port>`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent } from 'undici';
import { clientBytes } from '../../src/s3/edge/client-bytes.ts';
import { sendBody } from '../../src/s3/edge/send-body.ts';
import { dispatch } from '../../src/s3/upstream/dispatch.ts';
import { freeingConnector, StreamedPieces } from '../../src/s3/upstream/freeing-socket.ts';
import { OutgoingStream } from '../../src/s3/upstream/outgoing-stream.ts';
import { listenFor, SERVER_OPTIONS, upstreamPort } from './forwarder.ts';

const pieces = new StreamedPieces();
const agent = new Agent({
  connections: 64,
  pipelining: 1,
  allowH2: false,
  connect: freeingConnector({ allowH2: false }, pieces),
});
const origin = `http://127.0.0.1:${upstreamPort()}`;

async function forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const { host: _host, connection: _connection, ...headers } = request.headers;
  const body =
    method === 'PUT'
      ? new OutgoingStream(clientBytes(request, 60_000), (piece) => {
          pieces.add(piece);
        })
      : null;
  const answer = await dispatch(
    agent,
    { origin, path: url, method: method === 'PUT' ? 'PUT' : 'GET', headers, body },
    undefined,
  );
  response.writeHead(answer.status, answer.headers);
  await sendBody(answer.body, response);
}

listenFor(
  createServer(SERVER_OPTIONS, (request, response) => {
    forward(request, response).catch(() => response.destroy());
  }),
);
