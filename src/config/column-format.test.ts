/** `mode: format-preserving`: what a rule says with it, and what contradicts it. */
import { expect, test } from 'vitest';
import { readColumnRules } from './column-rules.ts';
import { postgresSchema } from './schema/postgres.ts';

function read(rule: Readonly<Record<string, unknown>>) {
  const section = postgresSchema.parse({
    listen: { port: 1 },
    upstream: { host: 'db' },
    databases: [{ name: 'app', service: { user: 'sealgate' } }],
    columns: [{ column: 'app.public.t.c', key: 'alias/k', ...rule }],
  });
  return readColumnRules(section, ['postgres']);
}

test('a sound rule is deterministic, without a guard, with defaults for what it leaves out', () => {
  const { rules, findings } = read({
    type: 'varchar(19)',
    mode: 'format-preserving',
    format: { alphabet: 'digits', keepFirst: 6 },
  });
  expect(findings).toEqual([]);
  expect(rules[0]).toMatchObject({
    mode: 'deterministic',
    guard: false,
    format: { alphabet: 'digits', keepFirst: 6, keepLast: 0, generation: 1 },
  });
});

const format = { alphabet: 'digits' };
const mode = 'format-preserving';
test.each([
  ['a format without its mode', { type: 'text', format }, 'format'],
  ['the mode without a format', { type: 'text', mode }, 'mode'],
  ['a format of what has no characters', { type: 'bigint', mode, format }, 'type'],
  ['a guard over what keeps its form', { type: 'text', mode, format, guard: 'on' }, 'guard'],
  ['a domain of what keeps its form', { type: 'text', mode, format, domain: 'd' }, 'domain'],
  ['no search where all can be compared', { type: 'text', mode, format, search: 'none' }, 'search'],
])('%s is a contradiction', (_what, rule, place) => {
  expect(read(rule).findings).toMatchObject([
    { code: 'ERR_CONFIG_CONTRADICTION', path: ['postgres', 'columns', 0, place] },
  ]);
});
