import { expect, test } from 'vitest';
import { KEYS, loadText as load, problemsOf as problems } from '../../test/support/config.ts';
import { loadConfig } from './load.ts';

async function message(text: string, world?: Parameters<typeof load>[1]): Promise<string> {
  return load(text, world).then(
    () => 'loaded',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
}

const S3 = `${KEYS}s3:
  listen: { port: 9000 }
  upstream: { endpoint: "http://127.0.0.1:1" }
  clients: [{ name: app, accessKeyId: APP, secretAccessKey: s }]
  buckets:
`;
const POSTGRES = `${KEYS}postgres:
  listen: { port: 6432 }
  upstream: { host: db }
  databases: [{ name: app, service: { user: gate } }]
  columns:
`;

test('The smallest config gets its defaults, with absolute paths', async () => {
  const { keys, s3, postgres, observe } = await load(KEYS);
  expect(keys.store).toBe('/etc/gate/sealgate-keys.sqlite');
  expect(keys.unseal).toEqual([{ type: 'keyFile', path: '/etc/gate/root.key' }]);
  expect(keys.cache).toEqual({ maxAgeSeconds: 300, maxUses: 1000, maxEntries: 10_000 });
  expect(keys.audit).toEqual({
    file: '/etc/gate/sealgate-audit.jsonl',
    durability: 'write',
    rotateAtBytes: 2 ** 30,
    sinks: [],
  });
  expect([s3, postgres, observe]).toEqual([undefined, undefined, { listen: undefined, log: { level: 'info' } }]);
});

test('Audit sinks are read with their files, and what does not go together is refused', async () => {
  const sinks = (text: string): string => `${KEYS}  audit: { sinks: [${text}] }\n`;
  const { keys } = await load(
    sinks('{ type: syslog, name: siem, host: logs }, { type: http, name: h, url: "https://c/in", required: true }'),
  );
  const tls = expect.objectContaining({ ca: undefined });
  expect(keys.audit.sinks).toEqual([
    { type: 'syslog', name: 'siem', host: 'logs', port: 6514, transport: 'tls', tls, maxWaiting: undefined },
    { type: 'http', name: 'h', url: 'https://c/in', authorization: undefined, tls, maxWaiting: 10_000 },
  ]);
  const mistakes = [
    ['{ type: syslog, name: s, host: l, transport: udp, caFile: ca.pem }', 'CONTRADICTION keys.audit.sinks[0].caFile'],
    ['{ type: http, name: s, url: "ftp://c" }', 'VALUE keys.audit.sinks[0].url'],
    ['{ type: http, name: "../s", url: "http://c" }', 'VALUE keys.audit.sinks[0].name'],
    ['{ type: kafka, name: s }', 'VALUE keys.audit.sinks[0].type'],
  ] as const;
  for (const [text, problem] of mistakes) expect((await problems(sinks(text))).join('\n')).toContain(problem);
});

test('A missing file says so, with its code', async () => {
  await expect(
    loadConfig('/nowhere.yaml', {}, () => Promise.reject(Object.assign(new Error(), { code: 'ENOENT' }))),
  ).rejects.toMatchObject({
    code: 'ERR_CONFIG_UNREADABLE',
    message: expect.stringContaining('no such file'),
  });
});

test.each([
  ['an empty file', '', ['1:1 MISSING (the whole file)']],
  ['only a comment', '# nothing\n', ['1:1 MISSING (the whole file)']],
  ['a list at the top', '- a\n', ['1:1 TYPE (the whole file)']],
  ['no version', 'keys:\n  unseal: [{ type: keyFile, path: r }]\n', ['1:1 MISSING version']],
  ['another version', KEYS.replace('1', '2'), ['1:10 VALUE version']],
  ['an unknown section', `${KEYS}postgress: {}\n`, ['4:1 UNKNOWN_KEY postgress']],
  ['an unknown key', `${KEYS}  stroe: x\n`, ['4:3 UNKNOWN_KEY keys.stroe']],
  ['a key named __proto__', `${KEYS}  __proto__: {}\n`, ['4:3 UNKNOWN_KEY keys.__proto__']],
  ['a key twice', `${KEYS}  store: a\n  store: b\n`, ['5:3 DUPLICATE_KEY keys.store']],
  [
    'a mapping where a list belongs',
    'version: 1\nkeys:\n  unseal: { type: keyFile, path: r }\n',
    ['3:11 TYPE keys.unseal'],
  ],
  ['an empty list', 'version: 1\nkeys:\n  unseal: []\n', ['3:11 VALUE keys.unseal']],
  ['nothing after a colon', 'version: 1\nkeys:\n', ['2:6 TYPE keys']],
  ['a number where text belongs', `${KEYS}  account: 000000000000\n`, ['4:12 TYPE keys.account']],
  ['text where a number belongs', `${KEYS}  cache: { maxUses: many }\n`, ['4:21 TYPE keys.cache.maxUses']],
  ['a fraction where a whole number belongs', `${KEYS}  cache: { maxUses: 1.5 }\n`, ['4:21 TYPE keys.cache.maxUses']],
  ['a number out of range', `${KEYS}observe:\n  listen: { port: 65536 }\n`, ['5:19 VALUE observe.listen.port']],
  [
    'a word that is not one of the list',
    `${KEYS}observe: { log: { level: trace } }\n`,
    ['4:26 VALUE observe.log.level'],
  ],
  [
    'a slot of unknown type',
    'version: 1\nkeys:\n  unseal: [{ type: keyfile, path: r }]\n',
    ['3:20 VALUE keys.unseal[0].type'],
  ],
  ['a slot without type', 'version: 1\nkeys:\n  unseal: [{ path: r }]\n', ['3:12 MISSING keys.unseal[0].type']],
  ['neither of two forms', 'version: 1\nkeys:\n  unseal: [{ type: passphrase }]\n', ['3:12 MISSING keys.unseal[0]']],
  [
    'both of two forms',
    'version: 1\nkeys:\n  unseal: [{ type: passphrase, passphrase: a, passphraseFile: b }]\n',
    ['3:47 VALUE keys.unseal[0].passphraseFile'],
  ],
  ['an anchor', `${KEYS}  store: &a x\n`, ['4:13 SYNTAX keys.store']],
  ['an alias', `${KEYS}  store: *a\n`, ['4:10 SYNTAX keys.store']],
  ['a tag', `${KEYS}  store: !!str x\n`, ['4:16 SYNTAX keys.store']],
  ['a second document', `${KEYS}---\na: 1\n`, ['4:1 SYNTAX (the whole file)']],
  ['broken YAML', 'version: 1\nkeys: [\n', ['3:1 SYNTAX (the whole file)']],
  ['a key that is no text', `${KEYS}1: x\n`, ['4:1 SYNTAX (the whole file)']],
  ['a key that is a list, within a section', `${KEYS}  ? [a]\n  : x\n`, ['4:5 SYNTAX keys']],
  ['a number far out of range', `${KEYS}observe:\n  listen: { port: 1e30 }\n`, ['5:19 VALUE observe.listen.port']],
  ['infinity', `${KEYS}observe:\n  listen: { port: .inf }\n`, ['5:19 TYPE observe.listen.port']],
  ['a path of two lines', `${KEYS}  store: "a\\nb"\n`, ['4:10 VALUE keys.store']],
  ['a path with a zero byte', `${KEYS}  store: "a\\0b"\n`, ['4:10 VALUE keys.store']],
  ['a tab', 'version: 1\nkeys:\n\tstore: a\n', ['3:1 SYNTAX (the whole file)']],
  ['a merge key', `${KEYS}<<: { a: 1 }\n`, ['4:1 UNKNOWN_KEY "<<"']],
  ['lines that end in CR LF', `${KEYS}observ: {}\n`.replaceAll('\n', '\r\n'), ['4:1 UNKNOWN_KEY observ']],
  ['a byte order mark', `\uFEFF${KEYS}observ: {}\n`, ['4:1 UNKNOWN_KEY observ']],
])('The place is named: %s', async (_name, text, expected) => {
  expect(await problems(text)).toEqual(expected);
});

test('An alias bomb is refused without being expanded', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, level) => `  l${level + 1}: &l${level + 1} [*l${level}, *l${level}, *l${level}]`,
  );
  expect(await problems(`${KEYS}x:\n  l0: &l0 [a]\n${levels.join('\n')}\n`)).toContain('6:12 SYNTAX x.l1[0]');
});

test('Deep nesting is refused', async () => {
  expect(await message(`${KEYS}x: ${'['.repeat(200)}${']'.repeat(200)}\n`)).toContain('nested');
});

test.each([
  ['the audit trail in the store', '  audit: { file: ./sealgate-keys.sqlite }', '4:18 CONTRADICTION keys.audit.file'],
  ['the audit trail in the key file', '  audit: { file: ./root.key }', '3:35 CONTRADICTION keys.unseal[0].path'],
  ['the audit trail in the config', '  audit: { file: x/../sealgate.yaml }', '4:18 CONTRADICTION keys.audit.file'],
  [
    'the audit trail’s head in the key file',
    '  audit: { file: a }\n  store: ./a.head',
    '4:18 CONTRADICTION keys.audit.file',
  ],
  ['the epoch file in the store', '  epochFile: ./sealgate-keys.sqlite-wal', '4:14 CONTRADICTION keys.epochFile'],
  ['the epoch file in the key file', '  epochFile: ./root.key', '3:35 CONTRADICTION keys.unseal[0].path'],
  [
    'the store beside its own epoch file',
    '  store: root\n  audit: { file: root.epoch }',
    '5:18 CONTRADICTION keys.audit.file',
  ],
  [
    'the copy of the audit trail in the audit trail',
    '  audit: { file: a, sinks: [{ type: file, name: s, path: a }] }',
    '4:58 CONTRADICTION keys.audit.sinks[0].path',
  ],
  [
    'two sinks of one name',
    '  audit: { sinks: [{ type: file, name: s, path: a }, { type: file, name: s, path: b }] }',
    '4:74 CONTRADICTION keys.audit.sinks[1].name',
  ],
])('One file for two uses is refused: %s', async (_name, lines, expected) => {
  expect(await problems(`${KEYS}${lines}\n`)).toEqual([expected]);
});

test('Of very many mistakes the first are listed, and the rest counted', async () => {
  const text = `${KEYS}${Array.from({ length: 300 }, (_, index) => `k${index}: 1\n`).join('')}`;
  const lines = (await message(text)).split('\n');
  expect([lines[0], lines.length, lines.at(-1)]).toEqual(['300 problems in the config file:', 52, '  and 250 more']);
  expect(await problems(text)).toHaveLength(300);
});

test.each([
  ['"80"', 'expected a number, found text (write it without quotes)'],
  ['8.5', 'expected a whole number, found a fraction'],
  ['.nan', 'expected a number, found one without end'],
  ['1e30', 'expected at most 65535'],
])('A port of %s: %s', async (port, expected) => {
  expect(await message(`${KEYS}observe: { listen: { port: ${port} } }\n`)).toContain(`${expected} (`);
});

test('Several mistakes are told at once, in the order of the file', async () => {
  const text = `version: 1\nkees: {}\nkeys:\n  unseal: [{ type: keyFile, pth: r }]\n  region: US\n  cache: { maxUses: x }\n`;
  expect(await problems(text)).toEqual([
    '2:1 UNKNOWN_KEY kees',
    '4:12 MISSING keys.unseal[0].path',
    '4:29 UNKNOWN_KEY keys.unseal[0].pth',
    '5:11 VALUE keys.region',
    '6:21 TYPE keys.cache.maxUses',
  ]);
});

test('An unknown key names the nearest known one, or all that may stand there', async () => {
  expect(await message(`${KEYS}  stroe: x\n`)).toContain('did you mean `store`?');
  expect(await message(`${KEYS}  zzzzzzz: x\n`)).toContain('expected one of `store`');
  expect(await message('version: 1\nkeys:\n  unseal: [{ type: passphrase, pasphrase: x }]\n')).toContain(
    'did you mean `passphrase`?',
  );
  expect(await message(`${KEYS}observe: { log: { level: wran } }\n`)).toContain('did you mean `warn`?');
});

test('Every line of the message names file, line and column', async () => {
  const text = await message(`${KEYS}  stroe: x\n  rgion: y\n`);
  const lines = text.split('\n').slice(1);
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line).toMatch(/^ {2}\/etc\/gate\/sealgate\.yaml:\d+:\d+: .*\(ERR_CONFIG_\w+\)$/);
});

test('Variables are replaced; `$${` stays; numbers and booleans may come from them', async () => {
  const text = `${KEYS}  store: a\${X}b$\${Y}\n  cache: { maxUses: "\${N}" }\nobserve: { listen: { port: "\${P}" } }\n`;
  const { keys, observe } = await load(text, { env: { X: '-x-', N: '7', P: '9090' } });
  expect(keys.store).toBe('/etc/gate/a-x-b${Y}');
  expect([keys.cache.maxUses, observe.listen?.port]).toEqual([7, 9090]);
});

test.each([
  ['unset', '${NOPE}', {}],
  ['empty', '${NOPE}', { NOPE: '' }],
  ['unclosed', '${NOPE', {}],
  ['with a default, which there is not', '${NOPE:-x}', { NOPE: 'x' }],
])('A variable that is %s is an error with its place', async (_name, reference, env) => {
  expect(await problems(`${KEYS}  region: "${reference}"\n`, { env })).toEqual(['4:11 ENV keys.region']);
});

test('A variable that holds something else than a number is told without its value', async () => {
  const text = `${KEYS}observe: { listen: { port: "\${P}" } }\n`;
  expect(await problems(text, { env: { P: 'hunter2' } })).toEqual(['4:28 TYPE observe.listen.port']);
  expect(await message(text, { env: { P: 'hunter2' } })).not.toContain('hunter2');
});

test('Secrets from text, variables and files are read, and none is printed', async () => {
  const text = `${S3}    - { bucket: a, pass: true }\n`.replace(
    'secretAccessKey: s',
    'secretAccessKeyFile: ./app.secret',
  );
  const config = await load(text, { files: { '/etc/gate/app.secret': 'hunter2\n' } });
  expect(config.s3?.clients[0]?.secretAccessKey.reveal()).toBe('hunter2');
  expect(JSON.stringify(config)).not.toContain('hunter2');
  const { inspect, format } = await import('node:util');
  expect(inspect(config, { depth: 20, showHidden: true }) + format('%s %o %j', config, config, config)).not.toContain(
    'hunter2',
  );
  expect(`${String(config.s3?.clients[0]?.secretAccessKey)}`).toBe('[secret]');
});

test('Files that cannot be read are told with the place that names them', async () => {
  const text = `${S3}    - { bucket: a, pass: true }\n`.replace(
    'secretAccessKey: s',
    'secretAccessKeyFile: ./app.secret',
  );
  expect(await problems(text)).toEqual(['7:65 FILE s3.clients[0].secretAccessKeyFile']);
  for (const content of ['', '\n', '\nhunter2\n', ' \r\nhunter2'])
    expect(await problems(text, { files: { '/etc/gate/app.secret': content } })).toEqual([
      '7:65 FILE s3.clients[0].secretAccessKeyFile',
    ]);
  for (const content of ['hunter2', 'hunter2\n', 'hunter2\r\n', '\uFEFFhunter2\n'])
    expect(
      (await load(text, { files: { '/etc/gate/app.secret': content } })).s3?.clients[0]?.secretAccessKey.reveal(),
    ).toBe('hunter2');
  const tls = text
    .replace('{ port: 9000 }', '{ port: 9000, tls: { certFile: c, keyFile: k } }')
    .replace('secretAccessKeyFile: ./app.secret', 'secretAccessKey: s');
  expect(await problems(tls, { files: { '/etc/gate/c': 'no pem' } })).toEqual([
    '5:42 FILE s3.listen.tls.certFile',
    '5:54 FILE s3.listen.tls.keyFile',
  ]);
});

test('A command that needs keys alone asks for nothing of the other sections', async () => {
  const text = `${S3}    - { bucket: a, pass: true }\n`.replace('secretAccessKey: s', 'secretAccessKey: "${NOPE}"');
  const config = await load(text, { only: 'keys' });
  expect(config.s3).toBeUndefined();
  expect(await problems(text)).toHaveLength(1);
});

test.each([
  [
    'the same rule twice',
    ['- { bucket: a, seal: alias/x }', '- { bucket: a, seal: alias/x }'],
    ['10:7 CONTRADICTION s3.buckets[1]'],
  ],
  [
    'narrower bucket against narrower prefix',
    ['- { bucket: "a*", prefix: p/, seal: alias/x }', '- { bucket: ab, pass: true }'],
    ['10:7 CONTRADICTION s3.buckets[1]'],
  ],
  ['two outcomes in one rule', ['- { bucket: a, seal: alias/x, refuse: true }'], ['9:35 VALUE s3.buckets[0].refuse']],
  ['no outcome', ['- { bucket: a }'], ['9:7 MISSING s3.buckets[0]']],
  ['pass: false', ['- { bucket: a, pass: false }'], ['9:26 VALUE s3.buckets[0].pass']],
  ['a star within', ['- { bucket: "a*b", pass: true }'], ['9:17 VALUE s3.buckets[0].bucket']],
  ['a key that is none', ['- { bucket: a, seal: objects }'], ['9:26 VALUE s3.buckets[0].seal']],
  [
    'plain objects on pass, an end of none, and one that is no time',
    [
      '- { bucket: a, pass: true, plainObjects: read }',
      '- { bucket: b, seal: alias/x, plainObjectsUntil: 2027-01-31T12:00:00Z }',
      '- { bucket: c, seal: alias/x, plainObjects: refuse, plainObjectsUntil: 2027-01-31T12:00:00Z }',
    ],
    [
      '9:32 CONTRADICTION s3.buckets[0].plainObjects',
      '10:35 CONTRADICTION s3.buckets[1].plainObjectsUntil',
      '11:57 CONTRADICTION s3.buckets[2].plainObjectsUntil',
    ],
  ],
  [
    'plain objects read here and refused there',
    [
      '- { bucket: "a*", prefix: p/, seal: alias/x, plainObjects: read }',
      '- { bucket: ab, seal: alias/x, plainObjects: refuse }',
    ],
    ['10:7 CONTRADICTION s3.buckets[1]'],
  ],
  ['a bucket id on pass', ['- { bucket: a, pass: true, bucketId: x }'], ['9:32 CONTRADICTION s3.buckets[0].bucketId']],
])('Bucket rules: %s', async (_name, rules, expected) => {
  expect(await problems(`${S3}${rules.map((rule) => `    ${rule}\n`).join('')}`)).toEqual(expected);
});

test('Where plain objects are read, their end is a time, or never', async () => {
  const rules = [
    '{ bucket: a, seal: alias/x, plainObjects: read, plainObjectsUntil: "2027-01-31T12:00:00+01:00" }',
    '{ bucket: b, seal: alias/x, plainObjects: read }',
    '{ bucket: c, seal: alias/x, plainObjects: refuse }',
  ];
  const { s3 } = await load(`${S3}${rules.map((rule) => `    - ${rule}\n`).join('')}`);
  const sealed = { type: 'seal', keyId: 'alias/x' };
  expect(s3?.buckets.map(({ outcome }) => outcome)).toEqual([
    { ...sealed, readsPlainUntil: Date.parse('2027-01-31T11:00:00Z') },
    { ...sealed, readsPlainUntil: Infinity },
    sealed,
  ]);
});

test('A contradiction names both places', async () => {
  expect(await message(`${S3}    - { bucket: a, pass: true }\n    - { bucket: a, refuse: true }\n`)).toContain(
    'the other: s3.buckets[0], line 9, column 7',
  );
});

test('Two clients may not share an access key id', async () => {
  const text = S3.replace('clients: [', 'clients: [{ name: b, accessKeyId: APP, secretAccessKey: t }, ').replace(
    '  buckets:\n',
    '',
  );
  expect(await problems(text)).toEqual(['7:90 CONTRADICTION s3.clients[1].accessKeyId']);
});

test('An endpoint holds no query and no credentials', async () => {
  for (const endpoint of ['http://h/?x', 'http://u:hunter2@h']) {
    const text = `${S3}    - { bucket: a, pass: true }\n`.replace('http://127.0.0.1:1', endpoint);
    expect(await problems(text)).toEqual(['6:25 VALUE s3.upstream.endpoint']);
    expect(await message(text)).not.toContain('hunter2');
  }
});

const column = (rule: string): string => `    - { key: alias/k, ${rule} }\n`;
test.each([
  ['three names', [column('column: public.t.c, type: text')], ['9:31 VALUE postgres.columns[0].column']],
  [
    'capitals without quotes',
    [column('column: app.public.T.c, type: text')],
    ['9:31 VALUE postgres.columns[0].column'],
  ],
  ['an unknown type', [column('column: app.public.t.c, type: strng')], ['9:53 VALUE postgres.columns[0].type']],
  [
    'another database',
    [column('column: ap.public.t.c, type: text')],
    ['9:31 CONTRADICTION postgres.columns[0].column'],
  ],
  [
    'search without determinism',
    [column('column: app.public.t.c, type: text, search: equality')],
    ['9:67 CONTRADICTION postgres.columns[0].search'],
  ],
  [
    'determinism without search',
    [column('column: app.public.t.c, type: text, mode: deterministic, search: none')],
    ['9:88 CONTRADICTION postgres.columns[0].search'],
  ],
  [
    'domain without determinism',
    [column('column: app.public.t.c, type: text, domain: d')],
    ['9:67 CONTRADICTION postgres.columns[0].domain'],
  ],
  [
    'deterministic jsonb',
    [column('column: app.public.t.c, type: jsonb, mode: deterministic')],
    ['9:53 CONTRADICTION postgres.columns[0].type'],
  ],
  [
    'deterministic numeric without scale',
    [column('column: app.public.t.c, type: numeric, mode: deterministic')],
    ['9:53 CONTRADICTION postgres.columns[0].type'],
  ],
  [
    'deterministic boolean',
    [column('column: app.public.t.c, type: boolean, mode: deterministic')],
    ['9:53 CONTRADICTION postgres.columns[0].type'],
  ],
  [
    'one column twice, with and without quotes',
    [column('column: app.public.t.c, type: text'), column('column: app.public."t".c, type: text')],
    ['10:31 CONTRADICTION postgres.columns[1].column'],
  ],
  [
    'a domain with two keys and two classes',
    [
      column('column: app.public.t.c, type: text, mode: deterministic, domain: d'),
      '    - { key: alias/other, column: app.public.u.c, type: bigint, mode: deterministic, domain: d }\n',
    ],
    ['10:14 CONTRADICTION postgres.columns[1].key', '10:57 CONTRADICTION postgres.columns[1].type'],
  ],
])('Column rules: %s', async (_name, rules, expected) => {
  expect(await problems(`${POSTGRES}${rules.join('')}`)).toEqual(expected);
});

test('Column rules become plain data', async () => {
  const rules = [
    column('column: app.public."Order".c, type: "NUMERIC(10,2)", mode: deterministic, domain: d, guard: off'),
    column('column: app.public.t.flag, type: bool, mode: deterministic, force: true'),
    column('column: app.public.t.c, type: varchar(20)'),
  ];
  const { postgres } = await load(POSTGRES + rules.join(''));
  expect(postgres?.columns).toEqual([
    {
      database: 'app',
      schema: 'public',
      table: 'Order',
      column: 'c',
      type: 'numeric(10,2)',
      keyId: 'alias/k',
      mode: 'deterministic',
      domain: 'd',
      guard: false,
    },
    {
      database: 'app',
      schema: 'public',
      table: 't',
      column: 'flag',
      type: 'bool',
      keyId: 'alias/k',
      mode: 'deterministic',
      domain: undefined,
      guard: true,
      force: true,
    },
    {
      database: 'app',
      schema: 'public',
      table: 't',
      column: 'c',
      type: 'varchar(20)',
      keyId: 'alias/k',
      mode: 'randomized',
      domain: undefined,
      guard: true,
    },
  ]);
});

test('A service connection takes what it does not say from the upstream', async () => {
  const text = `${KEYS}postgres:
  listen: { port: 0 }
  upstream: { url: "postgres://db:6000?sslmode=verify-full" }
  databases:
    - { name: a, service: { user: gate, password: p } }
    - { name: b, service: { url: "postgres://gate:p%40ss@other/b" } }
`;
  const { postgres } = await load(text);
  expect(postgres?.upstream).toMatchObject({ servers: [{ host: 'db', port: 6000 }], tls: { mode: 'verify-full' } });
  expect(
    postgres?.databases.map(({ service }) => [
      service.servers[0]?.host,
      service.servers[0]?.port,
      service.user,
      service.password?.reveal(),
      service.tls.mode,
    ]),
  ).toEqual([
    ['db', 6000, 'gate', 'p', 'verify-full'],
    ['other', 5432, 'gate', 'p@ss', 'prefer'],
  ]);
});

test('A rule names no key that another service manages: it could not use it', async () => {
  const bucket = (key: string): string => `${S3}    - { bucket: a, seal: "${key}" }\n`;
  const column = (key: string): string => `${POSTGRES}    - { column: app.public.t.c, type: text, key: "${key}" }\n`;
  const arn = (alias: string): string => `arn:aws:kms:us-east-1:000000000000:${alias}`;
  for (const text of [
    bucket('alias/aws/s3'),
    bucket(arn('alias/aws/s3')),
    column('alias/aws/rds'),
    bucket('alias/aws'),
  ])
    await load(text);
  const refused = [bucket('alias/aws/rds'), bucket(arn('alias/aws/rds')), bucket('alias/aws/'), column('alias/aws/s3')];
  for (const text of refused) expect(await problems(text)).toEqual([expect.stringMatching(/ VALUE .*(?:seal|key)$/u)]);
  expect(await message(column('alias/aws/s3'))).toContain('here that is `alias/aws/rds`');
});
