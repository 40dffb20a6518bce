/** Objects as wholes and in ranges: write, read, describe, delete. */
import type { Case } from '../case.ts';
import type { Answer } from '../twins.ts';
import { put, SUSPENDED, VERSIONED } from './requests.ts';

const HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'max-age=60',
  'content-disposition': 'attachment; filename="a b.txt"',
  'content-encoding': 'identity',
  'content-language': 'de',
  expires: 'Wed, 21 Oct 2099 07:28:00 GMT',
  'x-amz-meta-name': 'value, with = signs',
  'x-amz-meta-empty': '',
};

export const OBJECT_CASES: readonly Case[] = [
  { operation: 'PutObject', what: 'a small object', run: (side) => put(side, 'k', 'hello') },
  { operation: 'PutObject', what: 'an empty object', run: (side) => put(side, 'k', '') },
  { operation: 'PutObject', what: 'with all system headers and metadata', run: (side) => put(side, 'k', 'x', HEADERS) },
  {
    operation: 'PutObject',
    what: 'in a bucket with versions',
    run: async (side) => {
      await side.done(VERSIONED);
      return [await put(side, 'k', '1'), await put(side, 'k', '2')];
    },
  },
  {
    operation: 'PutObject',
    what: 'in a bucket whose versions are suspended',
    run: async (side) => {
      await side.done(VERSIONED);
      await put(side, 'k', '1');
      await side.done(SUSPENDED);
      return put(side, 'k', '2');
    },
  },
  {
    operation: 'PutObject',
    what: 'keys that look like paths, or are hard to write',
    run: async (side) => {
      const keys = [
        'a//b',
        '/a',
        'a/',
        '%2F',
        'a%2fb',
        'a b+c',
        'ü\u0308',
        '💾',
        '?x=1&y',
        '#',
        "'()*!~",
        '\\',
        'a;b=c',
      ];
      const answers: Answer[] = [];
      for (const [index, key] of keys.entries()) {
        answers.push(await side.send({ method: 'PUT', key, body: 'x'.repeat(index) }));
        answers.push(await side.send({ method: 'GET', key }));
      }
      return answers;
    },
  },
  {
    operation: 'PutObject',
    what: 'keys with dot segments',
    run: async (side) => {
      const answers: Answer[] = [];
      for (const key of ['a/./b', 'a/../b', '..'])
        for (const method of ['PUT', 'GET', 'DELETE'] as const)
          answers.push(await side.send({ method, key, ...(method === 'PUT' ? { body: 'x' } : {}) }));
      return answers;
    },
  },
  {
    operation: 'PutObject',
    what: 'a Content-MD5 that is another body’s',
    run: (side) =>
      side.send({ method: 'PUT', key: 'k', body: 'x', headers: { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' } }),
  },
  {
    operation: 'PutObject',
    what: 'with tags',
    run: async (side) => [
      await put(side, 'k', 'x', { 'x-amz-tagging': 'a=1&b=%C3%A4' }),
      await side.send({ method: 'GET', key: 'k', query: { tagging: '' } }),
    ],
  },
  {
    operation: 'PutObject',
    what: 'with an ACL that names the owner alone',
    run: async (side) => [
      await put(side, 'k', 'x', { 'x-amz-acl': 'bucket-owner-full-control' }),
      await side.send({ method: 'GET', key: 'k', query: { acl: '' } }),
    ],
  },
  {
    operation: 'PutObject',
    what: 'with retention and legal hold',
    bucket: { 'x-amz-bucket-object-lock-enabled': 'true' },
    run: async (side) => [
      await put(side, 'k', 'x', {
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': '2099-01-01T00:00:00Z',
        'x-amz-object-lock-legal-hold': 'OFF',
      }),
      await side.send({ method: 'HEAD', key: 'k' }),
    ],
  },
  {
    operation: 'GetObject',
    what: 'a whole object',
    run: async (side) => {
      await put(side, 'k', 'hello', HEADERS);
      return side.send({ method: 'GET', key: 'k' });
    },
  },
  {
    operation: 'GetObject',
    what: 'an empty object',
    run: async (side) => {
      await put(side, 'k', '');
      return side.send({ method: 'GET', key: 'k' });
    },
  },
  ...[
    'bytes=0-0',
    'bytes=1-',
    'bytes=-2',
    'bytes=1-99',
    'bytes=9-',
    'bytes=-0',
    'bytes=2-1',
    'bytes=a-b',
    'items=0-1',
    'bytes=0-1,3-4',
  ].map((range): Case => ({
    operation: 'GetObject',
    what: `Range: ${range} of five bytes`,
    run: async (side) => {
      await put(side, 'k', 'hello');
      return side.send({ method: 'GET', key: 'k', headers: { range } });
    },
  })),
  { operation: 'GetObject', what: 'no such key', run: (side) => side.send({ method: 'GET', key: 'none' }) },
  {
    operation: 'GetObject',
    what: 'If-None-Match: *',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send({ method: 'GET', key: 'k', headers: { 'if-none-match': '*' } });
    },
  },
  {
    operation: 'GetObject',
    what: 'If-Match of another ETag',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send({ method: 'GET', key: 'k', headers: { 'if-match': '"00000000000000000000000000000000"' } });
    },
  },
  {
    operation: 'GetObject',
    what: 'If-Modified-Since in the future',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send({ method: 'GET', key: 'k', headers: { 'if-modified-since': 'Wed, 21 Oct 2099 07:28:00 GMT' } });
    },
  },
  {
    operation: 'GetObject',
    what: 'other response headers',
    run: async (side) => {
      await put(side, 'k', 'x', HEADERS);
      return side.send({
        method: 'GET',
        key: 'k',
        query: {
          'response-content-type': 'a/b',
          'response-content-disposition': 'inline',
          'response-cache-control': 'no-store',
        },
      });
    },
  },
  {
    operation: 'GetObject',
    what: 'versions by id, the null version, and one that is none',
    run: async (side) => {
      await put(side, 'k', '0');
      await side.done(VERSIONED);
      const { headers } = await put(side, 'k', '1');
      await put(side, 'k', '2');
      return [
        await side.send({ method: 'GET', key: 'k' }),
        await side.send({ method: 'GET', key: 'k', query: { versionId: headers['x-amz-version-id'] ?? '' } }),
        await side.send({ method: 'GET', key: 'k', query: { versionId: 'null' } }),
        await side.send({ method: 'GET', key: 'k', query: { versionId: 'nonsense' } }),
      ];
    },
  },
  {
    operation: 'GetObject',
    what: 'where a delete marker is the latest, and by its id',
    run: async (side) => {
      await side.done(VERSIONED);
      await put(side, 'k', '1');
      const { headers } = await side.done({ method: 'DELETE', key: 'k' });
      return [
        await side.send({ method: 'GET', key: 'k' }),
        await side.send({ method: 'GET', key: 'k', query: { versionId: headers['x-amz-version-id'] ?? '' } }),
      ];
    },
  },
  {
    operation: 'HeadObject',
    what: 'an object',
    run: async (side) => {
      await put(side, 'k', 'hello', HEADERS);
      return side.send({ method: 'HEAD', key: 'k' });
    },
  },
  {
    operation: 'HeadObject',
    what: 'an object with tags',
    run: async (side) => {
      await put(side, 'k', 'x', { 'x-amz-tagging': 'a=1&b=2' });
      return side.send({ method: 'HEAD', key: 'k' });
    },
  },
  { operation: 'HeadObject', what: 'no such key', run: (side) => side.send({ method: 'HEAD', key: 'none' }) },
  {
    operation: 'HeadObject',
    what: 'where a delete marker is the latest, and by its id',
    run: async (side) => {
      await side.done(VERSIONED);
      await put(side, 'k', '1');
      const { headers } = await side.done({ method: 'DELETE', key: 'k' });
      return [
        await side.send({ method: 'HEAD', key: 'k' }),
        await side.send({ method: 'HEAD', key: 'k', query: { versionId: headers['x-amz-version-id'] ?? '' } }),
      ];
    },
  },
  {
    operation: 'DeleteObject',
    what: 'an object, and one that is not there',
    run: async (side) => {
      await put(side, 'k', 'x');
      return [await side.send({ method: 'DELETE', key: 'k' }), await side.send({ method: 'DELETE', key: 'k' })];
    },
  },
  {
    operation: 'DeleteObject',
    what: 'in a bucket with versions: the latest, a version, and the marker',
    run: async (side) => {
      await side.done(VERSIONED);
      const made = await put(side, 'k', '1');
      const deleted = await side.send({ method: 'DELETE', key: 'k' });
      const of = (answer: typeof made): Record<string, string> => ({
        versionId: answer.headers['x-amz-version-id'] ?? '',
      });
      return [
        deleted,
        await side.send({ method: 'DELETE', key: 'k', query: of(made) }),
        await side.send({ method: 'DELETE', key: 'k', query: of(deleted) }),
      ];
    },
  },
  {
    operation: 'GetObject',
    what: 'an empty version',
    run: async (side) => {
      await put(side, 'k', 'x');
      return [await side.send({ method: 'GET', key: 'k', query: { versionId: '' } })];
    },
  },
  {
    operation: 'PutObject',
    what: 'with a version',
    run: async (side) => [await side.send({ method: 'PUT', key: 'k', query: { versionId: 'null' }, body: 'x' })],
  },
  {
    operation: 'DeleteObject',
    what: 'where versions are suspended',
    run: async (side) => {
      await side.done(VERSIONED);
      await put(side, 'k', '1');
      await side.done(SUSPENDED);
      return [
        await side.send({ method: 'DELETE', key: 'k' }),
        await side.send({ method: 'DELETE', key: 'k', query: { versionId: 'null' } }),
      ];
    },
  },
  {
    operation: 'GetObjectAttributes',
    what: 'of an object, and of no such key',
    run: async (side) => {
      await put(side, 'k', 'hello');
      const headers = { 'x-amz-object-attributes': 'ETag,ObjectSize,StorageClass' };
      return [
        await side.send({ method: 'GET', key: 'k', query: { attributes: '' }, headers }),
        await side.send({ method: 'GET', key: 'none', query: { attributes: '' }, headers }),
      ];
    },
  },
];
