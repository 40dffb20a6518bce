/** Config files that nobody meant: whatever stands in one, it is a config or a ConfigError, and soon. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { loadConfig } from './load.ts';

const DEMO = readFileSync(new URL('../../config/demo.yaml', import.meta.url), 'utf8');
const LINES = DEMO.split('\n');

/** `config`, or the code of a ConfigError whose every problem has its place; anything else is thrown on. */
async function outcome(text: string | Uint8Array): Promise<string> {
  const readFile = async (path: string): Promise<Uint8Array> => {
    if (path === '/sealgate.yaml') return Buffer.from(text as string); // either will do
    throw Object.assign(new Error('no'), { code: 'ENOENT' });
  };
  try {
    await loadConfig('/sealgate.yaml', {}, readFile);
    return 'config';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { position } of error.problems) expect(Math.min(position.line, position.column)).toBeGreaterThan(0);
    return error.code;
  }
}

const NOTATION = [
  '- ',
  ': ',
  '? ',
  '{',
  '}',
  '[',
  ']',
  '&a ',
  '*a',
  '<<: ',
  '!!binary ',
  '!!int ',
  '|\n',
  '>-\n',
  '"',
  "'",
  '#',
  '%YAML 9\n',
  '---\n',
  '...\n',
  '\t',
  '\n',
  '  ',
  '${X}',
  '$${',
  '~',
  'null',
  '.nan',
  '0x1',
  '1e999',
  '\u0000',
  '\ufeff',
  '\u{1f511}',
];

test('Any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await outcome(bytes)).toMatch(/^config$|^ERR_CONFIG_/u);
    }),
    { numRuns: 300 },
  );
});

test('Any text of YAML’s own marks, and names that a config has', async () => {
  const names = [...DEMO.matchAll(/\b[a-z]\w+(?=:)/giu)].map(([name]) => name);
  const text = fc.array(fc.constantFrom(...NOTATION, ...names), { maxLength: 40 }).map((all) => all.join(''));
  await fc.assert(
    fc.asyncProperty(text, async (one) => {
      expect(await outcome(one)).toMatch(/^config$|^ERR_CONFIG_/u);
    }),
    { numRuns: 300 },
  );
});

test('A good config in which lines are left out, doubled, moved or broken', async () => {
  const at = fc.nat(LINES.length - 1);
  const change = fc.oneof(
    fc.record({ type: fc.constant('drop' as const), at }),
    fc.record({ type: fc.constant('put' as const), at, text: fc.constantFrom(...LINES) }),
    fc.record({ type: fc.constant('put' as const), at, text: fc.constantFrom(...NOTATION) }),
    fc.record({ type: fc.constant('cut' as const), at, length: fc.nat(40), text: fc.constantFrom(...NOTATION) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      const lines = [...LINES];
      for (const one of changes) {
        if (one.type === 'drop') lines.splice(one.at, 1);
        else if (one.type === 'put') lines.splice(one.at, 0, one.text);
        else lines[one.at] = `${lines[one.at]?.slice(0, one.length) ?? ''}${one.text}`;
      }
      expect(await outcome(lines.join('\n'))).toMatch(/^config$|^ERR_CONFIG_/u);
    }),
    { numRuns: 300 },
  );
});
