/** A store that says it has an object before it was sent one: an error for the client, sealed or passed through, and nothing kept waiting. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { AWS_CAPABILITIES } from '../../../src/s3/upstream/capabilities.ts';
import { sign, statusIn } from '../../support/s3/raw-s3.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';
import { BUCKET, startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { startS3rver, type TestStore } from '../../support/s3/s3rver.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\netag: "0123456789abcdef0123456789abcdef"\r\ncontent-length: 0\r\n\r\n';
/** More than lies in the sockets between: the body cannot have left for the store whole. */
const BODY_BYTES = 30_000_000;

let origin: TestStore;
let setup: SealedSetup;
let hasty: Server;
let edge: TestEdge;
const sockets = new Set<Socket>();

beforeAll(async () => {
  origin = await startS3rver({ buckets: [BUCKET] });
  setup = await startSealed(origin);
  hasty = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.write(ANSWER);
        socket.resume();
      });
  });
  await once(hasty.listen(0, '127.0.0.1'), 'listening');
  const store = {
    url: `http://127.0.0.1:${(hasty.address() as AddressInfo).port}`,
    accessKeyId: 'HASTY',
    secretAccessKey: 'hasty',
  };
  const rules = [{ bucket: BUCKET, prefix: 's/', rule: { type: 'seal', keyId: 'alias/a', name: 's' } as const }];
  const options = { capabilities: AWS_CAPABILITIES, operations: SEALED_OPERATIONS, dataKeys: setup.manager };
  edge = await startEdge({ store, rules, ...options });
});

afterAll(async () => {
  await edge.close();
  for (const socket of sockets) socket.destroy();
  hasty.close();
  await setup.close();
  await origin.close();
});

test.each(['s/sealed', 'passed'])('PUT of %s is refused, and its share of memory given back', async (key) => {
  const socket = connect(edge.port, '127.0.0.1');
  let answer = '';
  socket.on('error', () => undefined).on('data', (bytes) => (answer += bytes.toString('latin1')));
  const { head } = sign(edge.port, {
    method: 'PUT',
    path: `/${BUCKET}/${key}`,
    headers: { 'content-length': String(BODY_BYTES), 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    payloadHash: 'UNSIGNED-PAYLOAD',
  });
  socket.write(head);
  socket.write(randomBytes(BODY_BYTES));
  await expect.poll(() => statusIn(answer)).toBe(500);
  await expect.poll(() => edge.gateway.governor.usedBytes).toBe(0);
  expect(edge.outcomes.at(-1)).toMatchObject({ code: 'ERR_S3_UPSTREAM_PROTOCOL' });
  socket.destroy();
});
