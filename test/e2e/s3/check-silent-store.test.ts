/** `sealgate check` of a store that accepts connections and then says nothing at once, or amidst being found out. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { checkS3 } from '../../../src/cli/checks/s3.ts';
import { openUpstream } from '../../../src/cli/options/s3.ts';
import { cliFolder } from '../../support/cli.ts';
import { KEYS, loadText } from '../../support/config.ts';
import { sealgate } from '../../support/run.ts';

async function listening(server: Server): Promise<string> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => void open.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  // Of a TCP server it is an object.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const section = (endpoint: string, buckets: string): string => `s3:
  listen: { port: 0 }
  upstream:
    endpoint: ${endpoint}
    credentials: { type: static, accessKeyId: A, secretAccessKey: B }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: application-secret }]
  buckets: ${buckets}
`;

/** With a twentieth of the time that it gives a store. */
async function findings(endpoint: string, buckets: string) {
  const { s3 } = await loadText(`${KEYS}${section(endpoint, buckets)}`);
  if (s3 === undefined) throw new Error('there is a section');
  const upstream = openUpstream(s3);
  try {
    return (await checkS3(s3, upstream, 500)).map(({ type, about, message }) => [type, about, message]);
  } finally {
    await upstream.close();
  }
}

const TIMEOUT = expect.stringMatching(/^ERR_S3_UPSTREAM_TIMEOUT /u) as string;

test('the command ends, names the store and why, and says by its exit code that it did not answer', async () => {
  const endpoint = await listening(createTcpServer());
  using cli = cliFolder();
  await cli.run('init');
  writeFileSync(
    cli.path('sealgate.yaml'),
    `version: 1
keys:
  unseal: [{ type: keyFile, path: root.key }]
  audit: { file: audit.jsonl }
${section(endpoint, '[{ bucket: b, seal: alias/a }]')}`,
  );
  expect((await cli.run('keys', 'create', '--alias', 'a')).exit).toBe(0);
  const { code, stdout } = await sealgate(['check'], { cwd: cli.folder }).done;
  expect(stdout).toMatch(new RegExp(`^UNREACHABLE s3 upstream ${endpoint}: ERR_S3_UPSTREAM_TIMEOUT `, 'mu'));
  expect([code, stdout.includes('bucket b')]).toEqual([4, false]);
});

test.each([
  ['about its buckets', '[{ bucket: "b*", seal: alias/a }]'],
  ['about one', '[{ bucket: b, seal: alias/a }]'],
])('a store that is silent when it is asked %s is unreachable', async (_what, buckets) => {
  const endpoint = await listening(createTcpServer());
  expect(await findings(endpoint, buckets)).toContainEqual(['unreachable', `s3 upstream ${endpoint}`, TIMEOUT]);
});

test('so is one that falls silent amidst being found out, with what was found until then', async () => {
  const endpoint = await listening(
    createServer((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200).end();
    }),
  );
  expect(await findings(endpoint, '[{ bucket: b, seal: alias/a }]')).toEqual([
    ['ok', 'bucket b', 'is there'],
    ['unreachable', `s3 upstream ${endpoint}`, TIMEOUT],
  ]);
});
