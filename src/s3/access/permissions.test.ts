import { expect, test } from 'vitest';
import type { S3OperationName } from '../operation-names.ts';
import { deletePermissions, permissionsFor, type Permission } from './permissions.ts';

type More = { readonly query?: string; readonly headers?: Readonly<Record<string, string>>; readonly bucket?: string };

function asked(operation: S3OperationName, key: string, { query = '', headers = {}, bucket = 'bkt' }: More = {}) {
  const pairs = [...new URLSearchParams(query)];
  return permissionsFor({ operation, bucket, key, headers, query: new Map(pairs) });
}

const short = (permissions: readonly Permission[]): readonly string[] =>
  permissions.map(({ action, resource }) => `${action} ${resource.slice('arn:aws:s3:::'.length)}`);

test('Reading a version, and writing with an ACL, tags or a lock, each take their own action', () => {
  expect(short(asked('GetObject', 'k'))).toEqual(['s3:GetObject bkt/k']);
  expect(short(asked('GetObject', 'k', { query: 'versionId=1' }))).toEqual(['s3:GetObjectVersion bkt/k']);
  expect(short(asked('DeleteObjectTagging', 'k', { query: 'versionId=1' }))).toEqual([
    's3:DeleteObjectVersionTagging bkt/k',
  ]);
  const headers = {
    'x-amz-acl': 'public-read',
    'x-amz-tagging': 'a=b',
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-legal-hold': 'ON',
  };
  expect(short(asked('PutObject', 'k', { headers }))).toEqual(
    ['PutObject', 'PutObjectAcl', 'PutObjectTagging', 'PutObjectRetention', 'PutObjectLegalHold'].map(
      (a) => `s3:${a} bkt/k`,
    ),
  );
  expect(short(asked('DeleteObject', 'k', { headers: { 'x-amz-bypass-governance-retention': 'true' } }))).toEqual([
    's3:DeleteObject bkt/k',
    's3:BypassGovernanceRetention bkt/k',
  ]);
});

test('A version without a name takes the right to any version and to the newest', () => {
  const query = 'versionId=';
  expect(short(asked('GetObject', 'k', { query }))).toEqual(['s3:GetObject bkt/k', 's3:GetObjectVersion bkt/k']);
  expect(short(asked('ListParts', 'k', { query }))).toEqual(['s3:ListMultipartUploadParts bkt/k']);
  const deleted = ['s3:DeleteObject bkt/k', 's3:DeleteObjectVersion bkt/k'];
  expect(short(asked('DeleteObject', 'k', { query }))).toEqual(deleted);
  const inDocument = (version?: string) => short(deletePermissions({ bucket: 'bkt', key: 'k' }, version, {}));
  expect([inDocument(), inDocument(''), inDocument('1')]).toEqual([deleted.slice(0, 1), deleted, deleted.slice(1)]);
});

test('A copy reads its source, in each way a store may read its name', () => {
  expect(short(asked('CopyObject', 'k', { headers: { 'x-amz-copy-source': 'other/a+b?versionId=7' } }))).toEqual([
    's3:PutObject bkt/k',
    's3:GetObjectVersion other/a+b',
    's3:GetObjectVersion other/a b',
  ]);
  expect(short(asked('RenameObject', 'k', { headers: { 'x-amz-rename-source': '/bkt/old' } }))).toEqual([
    's3:PutObject bkt/k',
    's3:GetObject bkt/old',
    's3:DeleteObject bkt/old',
  ]);
});

test('A key that some stores read as another takes the right to both', () => {
  expect(short(asked('GetObject', String.raw`open\..\secret/a`))).toEqual([
    String.raw`s3:GetObject bkt/open\..\secret/a`,
    's3:GetObject bkt/secret/a',
  ]);
});

test('What no operation of S3 is takes a right that only `s3:*` gives', () => {
  expect(short(asked('Unknown', 'k'))).toEqual(['s3:Unknown bkt/k']);
  expect(short(asked('Unknown', ''))).toEqual(['s3:Unknown bkt']);
  expect(short(asked('Unknown', '', { bucket: '' }))).toEqual(['s3:Unknown *']);
  expect(short(asked('CreateBucket', '', { headers: { 'x-amz-acl': 'private' } }))).toEqual([
    's3:CreateBucket bkt',
    's3:PutBucketAcl bkt',
  ]);
});
