/** DeleteObjects of keys that XML can only refer to by number: each is deleted by a request of its own, on the condition that it was named with. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { SEALED_OPERATIONS } from '../../../src/s3/operations/index-table.ts';
import { sign, statusIn, talk } from '../../support/s3/raw-s3.ts';
import { startRecordingStore, type RecordingStore } from '../../support/s3/recording-store.ts';
import { startEdge, type TestEdge } from '../../support/s3/edge.ts';

let store: RecordingStore;
let edge: TestEdge;

beforeAll(async () => {
  store = await startRecordingStore();
  const rules = [{ bucket: 'mixed', prefix: 'secret/', rule: { type: 'refuse', name: 'mixed' } }] as const;
  edge = await startEdge({ store, rules, operations: SEALED_OPERATIONS });
});
afterEach(() => {
  store.seen.length = 0;
  store.reply = undefined;
});
afterAll(async () => {
  await edge.close();
  await store.close();
});

async function remove(...objects: readonly string[]): Promise<string> {
  const body = `<Delete>${objects.map((object) => `<Object>${object}</Object>`).join('')}</Delete>`;
  const headers = { 'content-length': String(body.length) };
  return talk(edge.port, [sign(edge.port, { method: 'POST', path: '/mixed', query: 'delete=', headers }).head, body]);
}

const rowsIn = (answer: string): readonly (string | undefined)[] =>
  [...answer.matchAll(/<Deleted>|<Code>(\w+)<\/Code>/gu)].map(([, code]) => code);

test('a condition on the ETag goes along', async () => {
  const answer = await remove('<Key>a&#1;</Key><VersionId>v 1</VersionId><ETag>"e"</ETag>');
  expect([statusIn(answer), rowsIn(answer)]).toEqual([200, [undefined]]);
  const [seen, more] = store.seen;
  expect([seen?.method, seen?.url, seen?.headers['if-match'], more]).toEqual([
    'DELETE',
    '/mixed/a%01?versionId=v%201',
    '"e"',
    undefined,
  ]);
});

test.each([
  ['NotImplemented', '<Size>1</Size>'],
  ['NotImplemented', '<LastModifiedTime>Thu, 26 Nov 2026 00:00:00 GMT</LastModifiedTime>'],
  ['InvalidArgument', '<ETag>"e&#13;&#10;x-amz-bypass-governance-retention: true"</ETag>'],
])('%s for a condition that would not come to be asked: %s', async (code, condition) => {
  const answer = await remove(`<Key>a&#1;</Key>${condition}`, `<Key>b&#1;</Key>`, `<Key>secret/&#1;</Key>`);
  expect(statusIn(answer)).toBe(200);
  expect(rowsIn(answer).toSorted()).toEqual([code, 'AccessDenied', undefined].toSorted());
  expect(store.seen.map(({ url }) => url)).toEqual(['/mixed/b%01']);
});

test('what the store refuses is said of each that it refused', async () => {
  store.reply = { status: 403, headers: {}, body: '<Error><Code>AccessDenied</Code></Error>' };
  const answer = await remove('<Key>a&#1;</Key>', '<Key>b&#2;</Key>');
  expect([statusIn(answer), rowsIn(answer)]).toEqual([200, ['AccessDenied', 'AccessDenied']]);
  expect(store.seen.map(({ method }) => method)).toEqual(['DELETE', 'DELETE']);
});

test.each(['a', 'a&#1;'])('an empty version of %s is none, and does not stand for the newest', async (key) => {
  const answer = await remove(...['', ' '].map((version) => `<Key>${key}</Key><VersionId>${version}</VersionId>`));
  expect([statusIn(answer), rowsIn(answer)]).toEqual([200, ['InvalidArgument', 'InvalidArgument']]);
  expect(answer.match(/<Message>Version id cannot be the empty string<\/Message>/gu)).toHaveLength(2);
  expect(await remove(`<Key>${key}</Key><VersionId/>`, '<Key>b&#1;</Key>')).toContain('<Code>InvalidArgument</Code>');
  expect(store.seen.map(({ url }) => url)).toEqual(['/mixed/b%01']);
});
