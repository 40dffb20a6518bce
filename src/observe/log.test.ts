import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createLog, isSecretName } from './log.ts';

const CANARY = 'hunter2-CANARY';

function logged(write: (log: ReturnType<typeof createLog>) => void): {
  text: string;
  lines: Record<string, unknown>[];
} {
  let text = '';
  write(createLog({ level: 'debug' }, { write: (line: string) => void (text += line) }));
  const lines = text.trim().split('\n').filter(Boolean);
  return { text, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('A line is one JSON object with level, time, fields and message', () => {
  const { lines } = logged((log) => log.warn({ bucket: 'b', bytes: 7n }, 'slow\ndown'));
  expect(lines).toEqual([
    { level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/u), bucket: 'b', bytes: '7', message: 'slow\ndown' },
  ]);
});

test.each([
  'password',
  'userPassword',
  'passphrase',
  'secretAccessKey',
  'SECRET_ACCESS_KEY',
  'client_secret',
  'x-amz-security-token',
  'sessionToken',
  'Authorization',
  'proxy-authorization',
  'set-cookie',
  'X-Amz-Signature',
  'privateKey',
  'plaintext',
  'credentials',
  'dek',
  'token',
  'sql',
  'query',
  'params',
  'value',
])('A field named %s is never written, however deep it stands', (name) => {
  expect(isSecretName(name)).toBe(true);
  const { text } = logged((log) => log.info({ a: [{ b: { [name]: CANARY } }], [name]: { inner: CANARY } }, 'x'));
  expect(text).not.toContain(CANARY);
});

test.each(['keyArn', 'dekId', 'bucket', 'code', 'database', 'column', 'materialId', 'requestId'])(
  'A field named %s is written',
  (name) => {
    expect(logged((log) => log.info({ [name]: 'shown' }, 'x')).lines[0]).toMatchObject({ [name]: 'shown' });
  },
);

test('Of an error name, code and message are written; cause, stack and detail are not', () => {
  const error = Object.assign(new Error('it failed', { cause: new Error(CANARY) }), {
    code: 'ERR_X',
    detail: CANARY,
    where: CANARY,
  });
  const { text, lines } = logged((log) => log.error({ err: error, nested: { error } }, 'x'));
  const shown = { name: 'Error', code: 'ERR_X', message: 'it failed' };
  expect(lines[0]).toMatchObject({ err: shown, nested: { error: shown } });
  expect(text).not.toContain(CANARY);
  expect(logged((log) => log.error(error)).text).not.toContain(CANARY);
});

test('Bytes, keys, secrets and class instances say nothing of what they hold', () => {
  const bytes = randomBytes(32);
  const key = createSecretKey(bytes);
  /** As the config room's secrets are. */
  class Guarded {
    readonly hidden = CANARY;
    toJSON(): string {
      return '[secret]';
    }
  }
  class Session {
    readonly hidden = CANARY;
  }
  const fields = {
    bytes,
    view: new Uint8Array(bytes),
    key,
    session: new Session(),
    secret: new Guarded(),
    other: new Guarded(),
  };
  const { text, lines } = logged((log) => log.info(fields, 'x'));
  expect(lines[0]).toMatchObject({ bytes: '[32 bytes]', view: '[32 bytes]', session: '[Session]', other: '[secret]' });
  for (const form of [CANARY, bytes.toString('hex'), bytes.toString('base64'), bytes.join(',')])
    expect(text).not.toContain(form);
});

test.each([
  `https://s3.example/b/k?X-Amz-Credential=${CANARY}&X-Amz-Signature=${CANARY}&x=1`,
  `https://s3.example/b/k?x=1&X-Amz-Security-Token=${CANARY}`,
  `postgres://app:${CANARY}@db/app`,
  `AWS4-HMAC-SHA256 Credential=AKIA/20261124, SignedHeaders=host, Signature=${CANARY}`,
])('Secrets within a text are cut out of it, in fields, errors and the message: %s', (text) => {
  const { text: written } = logged((log) => log.warn({ at: text, err: new Error(text) }, text));
  expect(written).not.toContain(CANARY);
  expect(written.match(/\[redacted\]/gu)?.length).toBeGreaterThanOrEqual(3);
});

test('What is long, deep, many or circular is cut', () => {
  const deep: Record<string, unknown> = {};
  deep['self'] = deep;
  const { text, lines } = logged((log) =>
    log.info({ deep, long: 'x'.repeat(100_000), many: Array(1000).fill(1) }, 'y'),
  );
  expect(lines).toHaveLength(1);
  expect(text.length).toBeLessThan(4000);
});
