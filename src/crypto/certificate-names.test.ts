import fc from 'fast-check';
import { expect, test } from 'vitest';
import { namesOf } from './certificate-names.ts';

test('Names are read in the form that Node gives them', () => {
  expect(namesOf({ subjectAltName: 'DNS:a.test, URI:spiffe://x/y, email:a@b.test' })).toEqual([
    'DNS:a.test',
    'URI:spiffe://x/y',
    'email:a@b.test',
  ]);
  expect(namesOf({ subjectAltName: 'DNS:"a, DNS:b", DNS:c' })).toEqual(['DNS:a, DNS:b', 'DNS:c']);
  expect(namesOf({ subjectAltName: undefined })).toEqual([]);
});

test('What is not of that form names nobody, and no text does anything else', () => {
  for (const text of ['DNS:"\\x"', 'DNS:"a', 'DNS', 'DNS:a,', 'DNS:a, , DNS:b', 'DNS:"a"b'])
    expect(namesOf({ subjectAltName: text })).toEqual([]);
  const mark = fc.constantFrom('DNS:', 'URI:', ', ', '"', '\\', '\\u00', '\n', 'a', ':', ',');
  const text = fc.oneof(
    fc.string(),
    fc.array(mark).map((marks) => marks.join('')),
  );
  fc.assert(
    fc.property(text, (subjectAltName) => {
      for (const name of namesOf({ subjectAltName })) expect(name).toContain(':');
    }),
    { numRuns: 2000 },
  );
});
