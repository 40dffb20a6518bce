import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CATALOGUE, catalogueEntry } from './catalogue.ts';
import { ERRORS_FILE, errorsPage } from './errors-page.ts';

const SOURCES = fileURLToPath(new URL('../../', import.meta.url));

test('docs/ERRORS.md is what the catalogues say (node src/cli/frame/errors-page.ts writes it)', () => {
  expect(readFileSync(ERRORS_FILE, 'utf8')).toBe(errorsPage());
});

test('No code stands in two catalogues', () => {
  const codes = CATALOGUE.flatMap(({ errors }) => Object.keys(errors));
  expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
});

test('Every code that the sources name has its section', () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
  );
  const named = files.flatMap(
    (file) =>
      readFileSync(join(SOURCES, file), 'utf8').match(
        /'ERR_(?:CLI|CONFIG|KEYS|CRYPTO|ENVELOPE|KMS|S3|SIGV4|POSTGRES)_[A-Z0-9_]+'/gu,
      ) ?? [],
  );
  const unknown = new Set(named.map((code) => code.slice(1, -1)).filter((code) => catalogueEntry(code) === undefined));
  expect([...unknown]).toEqual([]);
});
