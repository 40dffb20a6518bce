import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canariesOf, makeCustomers } from './people.ts';
import { searchFiles } from './search-files.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-search-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('A canary is found at the start, in the middle and at the end of a file, in any folder', async () => {
  await mkdir(join(folder, 'deep', 'er'), { recursive: true });
  await writeFile(join(folder, 'start'), 'needle-one and more');
  await writeFile(
    join(folder, 'deep', 'middle'),
    Buffer.concat([Buffer.alloc(70_000, 7), Buffer.from('needle-two'), Buffer.alloc(9)]),
  );
  await writeFile(join(folder, 'deep', 'er', 'end'), Buffer.concat([Buffer.alloc(3, 'n'), Buffer.from('needle-one')]));
  await writeFile(join(folder, 'clean'), 'needle-thre, needle-on');
  const { found, files } = await searchFiles(folder, ['needle-one', 'needle-two']);
  expect(files).toBe(4);
  expect(found.map(({ offset }) => offset).sort((a, b) => a - b)).toEqual([0, 3, 70_000]);
});

test('A needle is found at every position, whatever the length of the others', async () => {
  const place = join(folder, 'positions');
  await mkdir(place);
  for (let before = 0; before < 40; before++)
    await writeFile(join(place, String(before)), `${'n'.repeat(before)}needle-three`);
  for (const others of [[], ['four'], ['eight by'], ['a much longer one than any of the others']]) {
    const { found } = await searchFiles(place, ['needle-three', ...others]);
    expect(found).toHaveLength(40);
    for (const { file, offset, needle } of found)
      expect([String(offset), Buffer.from(needle).toString()]).toEqual([basename(file), 'needle-three']);
  }
  expect((await searchFiles(place, ['needle-thre!', Buffer.from([0, 1, 2, 3])])).found).toEqual([]);
});

test('Every customer has four canaries, and all are found when they lie in a file', async () => {
  const canaries = canariesOf(makeCustomers(50));
  expect(canaries).toHaveLength(200);
  const place = join(folder, 'customers');
  await mkdir(place);
  for (const [index, canary] of canaries.entries()) await writeFile(join(place, String(index)), `xx${canary}yy`);
  expect((await searchFiles(place, canaries)).found).toHaveLength(200);
});

test('Customers are the same on every run', () => {
  expect(makeCustomers(3)).toEqual(makeCustomers(1000).slice(0, 3));
});
