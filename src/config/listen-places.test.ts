import { expect, test } from 'vitest';
import { KEYS, loadText, problemsOf as problems } from '../../test/support/config.ts';

const config = (s3: string, postgres: string, observe: string): string => `${KEYS}s3:
  listen: ${s3}
  upstream: { endpoint: "http://127.0.0.1:1" }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: s }]
postgres:
  listen: ${postgres}
  upstream: { host: db }
  databases: []
  columns: []
observe:
  listen: ${observe}
`;

test.each([
  ['of the same address', '{ port: 9000 }', '{ host: 127.0.0.1, port: 9000 }', '{ port: 9090 }', 'postgres'],
  ['of every address and one', '{ port: 9000 }', '{ port: 6432 }', '{ host: 0.0.0.0, port: 9000 }', 'observe'],
  ['of every address, IPv6 too', '{ host: "::", port: 9000 }', '{ port: 6432 }', '{ port: 9000 }', 'observe'],
  [
    'of every address and a name',
    '{ host: "::0", port: 9000 }',
    '{ port: 6432 }',
    '{ host: gate, port: 9000 }',
    'observe',
  ],
  [
    'of every address twice',
    '{ host: 0.0.0.0, port: 9000 }',
    '{ host: "::", port: 9000 }',
    '{ port: 9090 }',
    'postgres',
  ],
  ['of one name', '{ host: gate, port: 9000 }', '{ port: 6432 }', '{ host: GATE, port: 9000 }', 'observe'],
  ['of this machine by name', '{ port: 9000 }', '{ port: 6432 }', '{ host: localhost, port: 9000 }', 'observe'],
  [
    'of one IPv6 address',
    '{ host: "::1", port: 9000 }',
    '{ host: "0:0::1", port: 9000 }',
    '{ port: 9090 }',
    'postgres',
  ],
  [
    'of an IPv4 address in IPv6',
    '{ port: 9000 }',
    '{ port: 6432 }',
    '{ host: "::ffff:7f00:1", port: 9000 }',
    'observe',
  ],
])('Two sections that listen on one port %s contradict each other', async (_, s3, postgres, observe, second) => {
  const found = await problems(config(s3, postgres, observe));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`CONTRADICTION ${second}.listen.port`);
});

test.each([
  ['other ports', '{ port: 9000 }', '{ port: 6432 }', '{ port: 9090 }'],
  ['other addresses', '{ port: 9000 }', '{ host: 127.0.0.2, port: 9000 }', '{ port: 9090 }'],
  [
    'every IPv4 address and one of IPv6',
    '{ host: 0.0.0.0, port: 9000 }',
    '{ host: "::1", port: 9000 }',
    '{ port: 9090 }',
  ],
  ['a name, which may be any address', '{ host: 0.0.0.0, port: 9000 }', '{ host: gate, port: 9000 }', '{ port: 9090 }'],
  ['two scopes', '{ host: "fe80::1%a", port: 9000 }', '{ host: "fe80::1%b", port: 9000 }', '{ port: 9090 }'],
  ['free ports', '{ port: 0 }', '{ port: 0 }', '{ port: 0 }'],
  ['a Unix socket, whose number is no port', '{ port: 5432 }', '{ socket: /run/gate, port: 5432 }', '{ port: 9090 }'],
])('%s do not', async (_, s3, postgres, observe) => {
  await expect(loadText(config(s3, postgres, observe))).resolves.toHaveProperty('s3.listen');
});
