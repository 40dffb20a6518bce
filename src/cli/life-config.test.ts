import { expect, test } from 'vitest';
import type { KeysConfig } from '../config/config.ts';
import { ConfigError } from '../config/errors.ts';
import { loadConfig } from '../config/load.ts';
import { checkLifeRule } from '../keys/life/terms/check-rule.ts';

const KEYS = 'version: 1\nkeys:\n  unseal: [{ type: keyFile, path: root.key }]\n';

async function load(life: string): Promise<KeysConfig['life']> {
  const readFile = (): Promise<Uint8Array> => Promise.resolve(Buffer.from(`${KEYS}${life}`));
  return (await loadConfig('/etc/gate/sealgate.yaml', {}, readFile, { checkLifeRule })).keys.life;
}

/** Every problem as `line:column CODE path`. */
async function problems(life: string): Promise<readonly string[]> {
  const error: unknown = await load(life).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConfigError)) throw new TypeError(`no ConfigError: ${String(error)}`);
  return error.problems.map(
    ({ position, code, path }) => `${position.line}:${position.column} ${code.slice(11)} ${path}`,
  );
}

test('Nothing said, keys are as those of AWS', async () => {
  expect(await load('')).toEqual({ profile: 'aws', recipientEnd: 'warn', rules: [] });
});

test('A profile, and rules with their reasons', async () => {
  const life = `  life:
    profile: nist
    recipientEnd: deny
    rules:
      - keys: [alias/pay-*, 11111111-2222-3333-4444-555555555555]
        types: [wrapping]
        originatorDays: 365
        recipientDays: unlimited
        maxOperations: 1000000
        weakWrapping: warn
        reason: contract 12, section 3
`;
  expect(await load(life)).toMatchObject({
    ...{ profile: 'nist', recipientEnd: 'deny' },
    rules: [{ originatorDays: 365, recipientDays: 'unlimited', reason: 'contract 12, section 3' }],
  });
});

test('A recipient period shorter than the originator’s is an error with its place, by itself and beside the standard', async () => {
  const rules = `  life:
    rules:
      - { originatorDays: 100, recipientDays: 99, reason: a }
      - { types: [wrapping], originatorDays: 2000, reason: b }
      - { types: [signature], originatorDays: 2000, reason: c }
      - { types: [authentication], recipientDays: 300, reason: d }
`;
  expect(await problems(rules)).toEqual([
    '6:47 CONTRADICTION keys.life.rules[0].recipientDays',
    '7:46 CONTRADICTION keys.life.rules[1].originatorDays',
    '9:51 CONTRADICTION keys.life.rules[3].recipientDays',
  ]);
});

test.each([
  ['{ originatorDays: 100 }', 'MISSING keys.life.rules[0].reason'],
  ['{ originatorDays: 100, reason: "" }', 'VALUE keys.life.rules[0].reason'],
  ['{ originatorDays: 100, reason: "  " }', 'VALUE keys.life.rules[0].reason'],
  ['{ originatorDays: 0, reason: a }', 'VALUE keys.life.rules[0].originatorDays'],
  ['{ keys: [objects], reason: a }', 'VALUE keys.life.rules[0].keys[0]'],
  ['{ keys: [], reason: a }', 'VALUE keys.life.rules[0].keys'],
  ['{ maxOperations: 0, reason: a }', 'VALUE keys.life.rules[0].maxOperations'],
  ['{ profile: fips, reason: a }', 'VALUE keys.life.rules[0].profile'],
])('%s is refused: %s', async (rule, problem) => {
  const [found] = await problems(`  life:\n    rules:\n      - ${rule}\n`);
  expect(found).toContain(problem);
});

test('Limits so small that a symmetric key would be rotated all the time are refused, and taken for keys that are not', async () => {
  const rule = (types: string): string =>
    `  life:\n    rules:\n      - { types: [${types}], maxOperations: 100, reason: a }\n`;
  expect(await problems(rule('wrapping'))).toEqual(['6:45 CONTRADICTION keys.life.rules[0].maxOperations']);
  expect((await load(rule('signature, authentication'))).rules).toHaveLength(1);
});
