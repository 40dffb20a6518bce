/** DeleteObjects in all its forms. */
import { createHash } from 'node:crypto';
import type { Case } from '../case.ts';
import type { Answer, Side } from '../twins.ts';
import { document, escaped, put, VERSIONED } from './requests.ts';

type Named = { readonly key: string; readonly versionId?: string };

const naming = (objects: readonly Named[], more = ''): string =>
  document(
    'Delete',
    more +
      objects
        .map(({ key, versionId }) => {
          const version = versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`;
          return `<Object><Key>${escaped(key)}</Key>${version}</Object>`;
        })
        .join(''),
  );

const remove = (side: Side, body: string, headers?: Readonly<Record<string, string>>): Promise<Answer> =>
  side.send({
    method: 'POST',
    query: { delete: '' },
    body,
    headers: headers ?? { 'content-md5': createHash('md5').update(body).digest('base64') },
  });

const ABC = [{ key: 'a' }, { key: 'b <&> "' }, { key: 'none' }];

async function objects(side: Side): Promise<void> {
  for (const { key } of ABC.slice(0, 2)) await put(side, key, 'x');
}

export const DELETE_CASES: readonly Case[] = [
  {
    operation: 'DeleteObjects',
    what: 'two keys, and one that is not there',
    run: async (side) => {
      await objects(side);
      return remove(side, naming(ABC));
    },
  },
  {
    operation: 'DeleteObjects',
    what: 'quietly',
    run: async (side) => {
      await objects(side);
      return remove(side, naming(ABC, '<Quiet>true</Quiet>'));
    },
  },
  {
    operation: 'DeleteObjects',
    what: 'in a bucket with versions: markers, a version, a marker, and a version that is none',
    run: async (side) => {
      await side.done(VERSIONED);
      const made = await put(side, 'k', '1');
      const marked = await remove(side, naming([{ key: 'k' }]));
      const marker = /<DeleteMarkerVersionId>([^<]*)/u.exec(marked.body.toString())?.[1] ?? '';
      const named = [
        { key: 'k', versionId: made.headers['x-amz-version-id'] ?? '' },
        { key: 'k', versionId: marker },
        { key: 'k', versionId: 'null' },
      ];
      return [marked, ...(await one(side, named))];
    },
  },
  {
    operation: 'DeleteObjects',
    what: 'by Content-MD5 of another document',
    run: (side) => remove(side, naming(ABC), { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' }),
  },
  { operation: 'DeleteObjects', what: 'what is no document', run: (side) => remove(side, 'nonsense') },
  { operation: 'DeleteObjects', what: 'no keys', run: (side) => remove(side, naming([])) },
  {
    operation: 'DeleteObjects',
    what: '1000 keys, and one more',
    run: async (side) => {
      const keys = Array.from({ length: 1001 }, (_, n) => ({ key: `k${n}` }));
      return [await remove(side, naming(keys.slice(1), '<Quiet>true</Quiet>')), await remove(side, naming(keys))];
    },
  },
  {
    operation: 'DeleteObjects',
    what: 'under legal hold, beside one that is not',
    bucket: { 'x-amz-bucket-object-lock-enabled': 'true' },
    run: async (side) => {
      const held = await put(side, 'held', 'x', { 'x-amz-object-lock-legal-hold': 'ON' });
      const free = await put(side, 'free', 'x');
      // s3rver keeps no versions, and an empty one is none.
      const of = ({ headers }: Answer) => {
        const versionId = headers['x-amz-version-id'];
        return versionId === undefined ? {} : { versionId };
      };
      const named = [
        { key: 'held', ...of(held) },
        { key: 'free', ...of(free) },
      ];
      return [held, free, await remove(side, naming(named))];
    },
  },
];

/** One after the other: what an answer says of several does not depend on their order then. */
async function one(side: Side, named: readonly Named[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const each of named) answers.push(await remove(side, naming([each])));
  return answers;
}
