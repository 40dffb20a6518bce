import { expect, test } from 'vitest';
import { checkTagging, formatTags, parseTagDocument, parseTagging, type Tag } from './tagging.ts';

const documentOf = (tags: readonly Tag[]): Uint8Array =>
  Buffer.from(
    `<Tagging><TagSet>${tags.map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`).join('')}</TagSet></Tagging>`,
  );
const codeOf = (run: () => unknown): unknown => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { readonly s3Code?: string }).s3Code;
  }
};
const tags = (count: number): Tag[] => Array.from({ length: count }, (_, n) => [`k${n}`, '']);

test.each<[what: string, tags: Tag[], inHeader: string | undefined, inDocument: string | undefined]>([
  ['none', [], undefined, undefined],
  ['ten', tags(10), undefined, undefined],
  ['eleven', tags(11), 'BadRequest', 'BadRequest'],
  ['two of a name', [...tags(1), ...tags(1)], 'InvalidArgument', 'InvalidTag'],
  ['one without a name', [['', 'v']], 'InvalidTag', 'InvalidTag'],
  ['the longest', [['k'.repeat(128), 'v'.repeat(256)]], undefined, undefined],
  ['one with a longer name', [['k'.repeat(129), '']], 'InvalidTag', 'InvalidTag'],
  ['one with a longer value', [['k', '😀'.repeat(129)]], 'InvalidTag', 'InvalidTag'],
  ['one of the system', [['aws:k', 'v']], 'InvalidTag', 'InvalidTag'],
])('%s', (_what, given, inHeader, inDocument) => {
  expect(codeOf(() => checkTagging(formatTags(given)))).toBe(inHeader);
  expect(codeOf(() => parseTagDocument(documentOf(given)))).toBe(inDocument);
});

test('what is no document of tags is malformed', () => {
  for (const text of [
    'nonsense',
    '<Tagging></Tagging>',
    '<Other><TagSet/></Other>',
    '<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>',
    '<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>',
  ])
    expect(codeOf(() => parseTagDocument(Buffer.from(text)))).toBe('MalformedXML');
  expect(parseTagDocument(Buffer.from('<Tagging><TagSet/></Tagging>'))).toEqual([]);
});

test('tags come back as they were formatted', () => {
  const given: Tag[] = [
    ['a b+c', 'ä&='],
    ['k', ''],
  ];
  expect(parseTagging(formatTags(given))).toEqual(given);
  expect(parseTagDocument(documentOf([['k', 'v w']]))).toEqual([['k', 'v w']]);
});
