import { describe, expect, test } from 'vitest';
import { decide, type OperationTable } from './decide.ts';
import { BUCKET_OPERATIONS, OBJECT_OPERATIONS, type S3OperationName } from './operation-names.ts';
import { AWS_CAPABILITIES } from './upstream/capabilities.ts';
import { compileRules, type S3Rules } from './rules.ts';

const rules = compileRules([
  { bucket: 'sealed', prefix: '', rule: { type: 'seal', keyId: 'k', name: 's' } },
  { bucket: 'closed', prefix: '', rule: { type: 'refuse', name: 'c' } },
  { bucket: 'mixed', prefix: 'secret/', rule: { type: 'seal', keyId: 'k', name: 'm' } },
  { bucket: 'opened', prefix: '', rule: { type: 'pass', name: 'o' } },
  { bucket: 'spaced', prefix: 'my secrets/', rule: { type: 'seal', keyId: 'k', name: 'm' } },
]);

const handler = (name: S3OperationName) => ({ name, handle: () => Promise.reject(new Error('not called')) });
const table: OperationTable = {
  CopyObject: handler('CopyObject'),
  ListObjectsV2: handler('ListObjectsV2'),
  PutObject: handler('PutObject'),
};
const HANDLED: ReadonlySet<string> = new Set(['CopyObject', 'PutObject']);

const STORE = { capabilities: AWS_CAPABILITIES, send: () => Promise.reject(new Error('not called')) };
const oneStore = (of: S3Rules) => ({ rules: of, upstream: { storeOf: () => STORE } });

/** The decision's type, or the code of the refusal. */
const decided = (
  operation: S3OperationName,
  bucket: string,
  key = '',
  headers: Record<string, string> = {},
): string => {
  try {
    return decide({ operation, bucket, key, headers }, oneStore(rules), table).type;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const NOT_BUILT = 'ERR_S3_NOT_IMPLEMENTED';
const DENIED = 'ERR_S3_ACCESS_DENIED';

test('every operation on a sealed key is handled by its own code or refused; none is forwarded', () => {
  for (const operation of [...OBJECT_OPERATIONS, 'Unknown'] as const) {
    expect(decided(operation, 'sealed', 'k'), operation).toBe(HANDLED.has(operation) ? 'handle' : NOT_BUILT);
    expect(decided(operation, 'mixed', 'secret/k'), operation).toBe(HANDLED.has(operation) ? 'handle' : NOT_BUILT);
    expect(decided(operation, 'closed', 'k'), operation).toBe(DENIED);
  }
});

test('of operations on a bucket with rules, none but its creation and HEAD is forwarded without code of its own', () => {
  const forwarded = BUCKET_OPERATIONS.filter((operation) => decided(operation, 'mixed') === 'forward');
  expect(forwarded).toEqual(['CreateBucket', 'HeadBucket']);
  expect(decided('CreateBucket', 'mixed', '', { 'x-amz-acl': 'public-read' })).toBe(NOT_BUILT);
  expect(decided('CreateBucket', 'mixed', '', { 'x-amz-grant-read': 'x' })).toBe(NOT_BUILT);
  expect(decided('HeadBucket', 'closed')).toBe(DENIED);
});

test('a bucket without rules forwards everything, but no upload by form', () => {
  for (const operation of [...OBJECT_OPERATIONS, 'Unknown'] as const)
    expect(decided(operation, 'free', 'k'), operation).toBe('forward');
  for (const operation of BUCKET_OPERATIONS)
    expect(decided(operation, 'free'), operation).toBe(operation === 'PostObject' ? NOT_BUILT : 'forward');
});

test('whom policies limit gets nothing forwarded that a store may take for something else', () => {
  const limited = (operation: S3OperationName, key: string): string => {
    try {
      return decide({ operation, bucket: 'free', key, headers: {}, limited: true }, oneStore(rules), table).type;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (const key of ['', 'k']) expect(limited('Unknown', key)).toBe(NOT_BUILT);
  expect(BUCKET_OPERATIONS.filter((operation) => limited(operation, '') === 'forward')).toEqual([
    'CreateBucket',
    'DeleteBucket',
    'HeadBucket',
    'ListObjects',
    'ListObjectsV2',
  ]);
});

test('of the service only the list of buckets is forwarded', () => {
  expect(decided('ListBuckets', '')).toBe('forward');
  expect(decided('Unknown', '')).toBe(NOT_BUILT);
});

test('where stores administer themselves nothing is forwarded, unless a rule names such a bucket', () => {
  for (const bucket of ['admin', 'minio']) {
    expect(decided('Unknown', bucket, 'user')).toBe(DENIED);
    expect(decided('GetObject', bucket, 'v3/info')).toBe(DENIED);
  }
  const named = compileRules([{ bucket: 'admin', prefix: '', rule: { type: 'pass', name: 'p' } }]);
  expect(decide({ operation: 'GetObject', bucket: 'admin', key: 'k', headers: {} }, oneStore(named), table).type).toBe(
    'forward',
  );
});

test.each(['/secret/k', '//secret//k', 'secret\\k', 'open/..\\secret/k', 'open\\..\\secret\\k'])(
  'the key %s, which a store of files reads as a sealed one, is refused',
  (key) => {
    expect(decided('PutObject', 'mixed', key)).toBe('ERR_S3_INVALID_URI');
    expect(decided('GetObject', 'sealed', `/.sealgate/uploads/${key}`)).toBe(DENIED);
    expect(decided('CopyObject', 'free', 'k', { 'x-amz-copy-source': encodeURI(`mixed/${key}`) })).not.toBe('forward');
  },
);

test('keys with empty segments are ordinary where every reading has the same rule', () => {
  expect(decided('PutObject', 'sealed', 'a//b')).toBe('handle');
  expect(decided('PutObject', 'mixed', 'secret//b')).toBe('handle');
  expect(decided('PutObject', 'mixed', 'open//b')).toBe('forward');
});

describe('a copy', () => {
  const copy = (source: string, bucket = 'free', key = 'k'): string =>
    decided('CopyObject', bucket, key, { 'x-amz-copy-source': source });

  test('from and to keys without a rule is forwarded', () => {
    expect(copy('free/a?versionId=3')).toBe('forward');
    expect(copy('/mixed/open%2Fa')).toBe('forward');
  });

  test.each(['sealed/a', '/se%61led/a', 'mixed%2Fsecret%2Fa', 'spaced/my%20secrets/a'])(
    'from %s, which is sealed, is handled where a rule seals the destination or lets it be plain, and refused elsewhere',
    (source) => {
      expect(copy(source, 'sealed')).toBe('handle');
      expect(copy(source, 'opened')).toBe('handle');
      expect(copy(source, 'mixed', 'secret/b')).toBe('handle');
      expect(copy(source, 'free')).toBe(DENIED);
      expect(copy(source, 'mixed', 'open/b')).toBe(DENIED);
      expect(copy(source, 'closed')).toBe(DENIED);
    },
  );

  test('is refused where the two readings of a plus have two rules, and one of them seals', () => {
    for (const bucket of ['sealed', 'opened', 'free'])
      expect(copy('spaced/my+secrets/a', bucket)).toBe('ERR_S3_INVALID_ARGUMENT');
    expect(copy('sealed/a+b', 'opened')).toBe('handle');
    expect(copy('free/a+b')).toBe('forward');
  });

  test('names its source to CopyObject and UploadPartCopy alone', () => {
    for (const operation of ['PutObject', 'PutObjectAcl', 'CreateMultipartUpload', 'Unknown'] as const) {
      const headers = { 'x-amz-copy-source': 'sealed/a' };
      for (const bucket of ['free', 'opened', 'sealed'])
        expect(decided(operation, bucket, 'k', headers)).toBe(NOT_BUILT);
      expect(decided(operation, 'sealed', 'k', { 'x-amz-copy-source': 'free/a' })).toBe(NOT_BUILT);
    }
  });

  test.each([
    ['closed/a', DENIED],
    ['admin/user', DENIED],
    ['data-s3alias/a', 'ERR_S3_INVALID_BUCKET_NAME'],
    ['mixed/.sealgate/uploads/a', DENIED],
    ['free/../sealed/a', 'ERR_S3_INVALID_URI'],
    ['arn:aws:s3:us-east-1:1:accesspoint/p/object/a', 'ERR_S3_INVALID_ARGUMENT'],
    ['free/a?versionId=1?versionId=2', 'ERR_S3_INVALID_ARGUMENT'],
    ['free/a?versionId=', 'ERR_S3_INVALID_ARGUMENT'],
    ['free/a?versionId=%zz', 'ERR_S3_INVALID_ARGUMENT'],
    ['free', 'ERR_S3_INVALID_ARGUMENT'],
    ['free/', 'ERR_S3_INVALID_ARGUMENT'],
    ['%zz/a', 'ERR_S3_INVALID_ARGUMENT'],
  ])('from %s is refused', (source, code) => {
    expect(copy(source)).toBe(code);
  });

  test('from a key without a rule into a sealed one is handled', () => {
    expect(copy('free/a', 'sealed')).toBe('handle');
    expect(copy('mixed/open/a', 'mixed', 'secret/a')).toBe('handle');
  });

  test('a rename out of a sealed key is refused', () => {
    for (const source of ['secret/a', '/mixed/secret/a', 'mixed/../secret/a']) {
      expect(decided('RenameObject', 'mixed', 'open/k', { 'x-amz-rename-source': source }), source).not.toBe('forward');
    }
  });
});

test('hidden names of open uploads are out of reach in every bucket with rules', () => {
  expect(decided('GetObject', 'mixed', '.sealgate/uploads/x')).toBe(DENIED);
  expect(decided('GetObject', 'free', '.sealgate/uploads/x')).toBe('forward');
});

describe('of several stores', () => {
  const FAR = { ...STORE };
  const upstream = { storeOf: (bucket: string) => (bucket.startsWith('far') ? FAR : STORE) };
  const across = (operation: S3OperationName, bucket: string, source: string, header = 'x-amz-copy-source'): string => {
    try {
      const request = { operation, bucket, key: 'k', headers: { [header]: source } };
      return decide(request, { rules, upstream }, { ...table, UploadPartCopy: handler('UploadPartCopy') }).type;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test('none is asked to copy from another, plain or not', () => {
    for (const operation of ['CopyObject', 'UploadPartCopy'] as const) {
      expect(across(operation, 'far', 'far-too/k')).toBe('forward');
      expect(across(operation, 'free', 'opened/k')).toBe('forward');
      for (const [bucket, source] of [
        ['far', 'free/k'],
        ['free', '/far/k?versionId=1'],
        ['far', 'opened/a+b'],
        ['far', 'sealed/k'],
        ['opened', 'far/k'],
      ] as const)
        expect(across(operation, bucket, source), `${source} to ${bucket}`).toBe(
          source === 'sealed/k' ? DENIED : 'handle',
        );
    }
  });

  test('what is no copy to us names no source in another', () => {
    for (const operation of ['PutObject', 'Unknown', 'UploadPart', 'RenameObject'] as const)
      expect(across(operation, 'free', 'far/k'), operation).toBe(NOT_BUILT);
    expect(across('RenameObject', 'far', 'other', 'x-amz-rename-source')).toBe('forward');
  });
});
