/** What belongs to an object beside its data: tags, ACL, retention, legal hold. */
import type { S3OperationName } from '../../../src/s3/operation-names.ts';
import type { Case } from '../case.ts';
import type { Answer, Asked, Side } from '../twins.ts';
import { document, put, tagging, VERSIONED, versionOf } from './requests.ts';

const LOCKED = { 'x-amz-bucket-object-lock-enabled': 'true' };
const onKey = (method: Asked['method'], name: string, more: Partial<Asked> = {}): Asked => ({
  method,
  key: 'k',
  ...more,
  query: { [name]: '', ...more.query },
});
const UNTIL = '2099-01-01T00:00:00Z';
const retention = (mode: string): string =>
  document('Retention', `<Mode>${mode}</Mode><RetainUntilDate>${UNTIL}</RetainUntilDate>`);
const hold = (status: string): string => document('LegalHold', `<Status>${status}</Status>`);

const reading = (operation: S3OperationName, name: string): Case => ({
  operation,
  what: 'of no such key',
  run: (side) => side.send(onKey(operation.startsWith('Delete') ? 'DELETE' : 'GET', name, { key: 'none' })),
});

async function versions(side: Side): Promise<readonly [Answer, Answer]> {
  await side.done(VERSIONED);
  return [await put(side, 'k', '1'), await put(side, 'k', '2')];
}

export const SUBRESOURCE_CASES: readonly Case[] = [
  {
    operation: 'PutObjectTagging',
    what: 'two tags, read back, and their count on HEAD',
    run: async (side) => {
      await put(side, 'k', 'x');
      return [
        await side.send(onKey('PUT', 'tagging', { body: tagging({ a: '1', 'ä <': '&' }) })),
        await side.send(onKey('GET', 'tagging')),
        await side.send({ method: 'HEAD', key: 'k' }),
      ];
    },
  },
  {
    operation: 'PutObjectTagging',
    what: 'eleven tags, one too many, and what is no document',
    run: async (side) => {
      await put(side, 'k', 'x');
      const many = Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`t${n}`, '']));
      return [
        await side.send(onKey('PUT', 'tagging', { body: tagging(many) })),
        await side.send(onKey('PUT', 'tagging', { body: 'nonsense' })),
      ];
    },
  },
  {
    operation: 'PutObjectTagging',
    what: 'of an older version',
    run: async (side) => {
      const [first] = await versions(side);
      return [
        await side.send(onKey('PUT', 'tagging', { body: tagging({ old: '1' }), query: versionOf(first) })),
        await side.send(onKey('GET', 'tagging')),
        await side.send(onKey('GET', 'tagging', { query: versionOf(first) })),
      ];
    },
  },
  reading('GetObjectTagging', 'tagging'),
  {
    operation: 'GetObjectTagging',
    what: 'of an object without tags',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send(onKey('GET', 'tagging'));
    },
  },
  {
    operation: 'DeleteObjectTagging',
    what: 'tags, and the object without them',
    run: async (side) => {
      await put(side, 'k', 'x', { 'x-amz-tagging': 'a=1' });
      return [await side.send(onKey('DELETE', 'tagging')), await side.send(onKey('GET', 'tagging'))];
    },
  },
  reading('DeleteObjectTagging', 'tagging'),
  {
    operation: 'GetObjectAcl',
    what: 'of an object, and of an older version',
    run: async (side) => {
      const [first] = await versions(side);
      return [await side.send(onKey('GET', 'acl')), await side.send(onKey('GET', 'acl', { query: versionOf(first) }))];
    },
  },
  reading('GetObjectAcl', 'acl'),
  {
    operation: 'PutObjectAcl',
    what: 'private, and bucket-owner-full-control',
    run: async (side) => {
      await put(side, 'k', 'x');
      return [
        await side.send(onKey('PUT', 'acl', { headers: { 'x-amz-acl': 'private' } })),
        await side.send(onKey('PUT', 'acl', { headers: { 'x-amz-acl': 'bucket-owner-full-control' } })),
        await side.send(onKey('GET', 'acl')),
      ];
    },
  },
  {
    operation: 'PutObjectAcl',
    what: 'the document that was read before',
    run: async (side) => {
      await put(side, 'k', 'x');
      const { body } = await side.done(onKey('GET', 'acl'));
      return [await side.send(onKey('PUT', 'acl', { body })), await side.send(onKey('GET', 'acl'))];
    },
  },
  {
    operation: 'PutObjectRetention',
    what: 'governance, read back, shortened with and without the bypass',
    bucket: LOCKED,
    run: async (side) => {
      await put(side, 'k', 'x');
      const shorter = retention('GOVERNANCE').replace('2099', '2098');
      return [
        await side.send(onKey('PUT', 'retention', { body: retention('GOVERNANCE') })),
        await side.send(onKey('GET', 'retention')),
        await side.send(onKey('PUT', 'retention', { body: shorter })),
        await side.send(
          onKey('PUT', 'retention', { body: shorter, headers: { 'x-amz-bypass-governance-retention': 'true' } }),
        ),
        await side.send(onKey('GET', 'retention')),
        await side.send({ method: 'HEAD', key: 'k' }),
      ];
    },
  },
  {
    operation: 'PutObjectRetention',
    what: 'in a bucket without object lock, and a mode that is none',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send(onKey('PUT', 'retention', { body: retention('GOVERNANCE') }));
    },
  },
  {
    operation: 'GetObjectRetention',
    what: 'where there is none',
    bucket: LOCKED,
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send(onKey('GET', 'retention'));
    },
  },
  {
    operation: 'PutObjectLegalHold',
    what: 'on, read back; a deletion of the version; off',
    bucket: LOCKED,
    run: async (side) => {
      const made = await put(side, 'k', 'x');
      return [
        await side.send(onKey('PUT', 'legal-hold', { body: hold('ON') })),
        await side.send(onKey('GET', 'legal-hold')),
        await side.send({ method: 'DELETE', key: 'k', query: versionOf(made) }),
        await side.send(onKey('PUT', 'legal-hold', { body: hold('OFF') })),
        await side.send({ method: 'DELETE', key: 'k', query: versionOf(made) }),
      ];
    },
  },
  {
    operation: 'GetObjectLegalHold',
    what: 'where there is none, and no such key',
    bucket: LOCKED,
    run: async (side) => {
      await put(side, 'k', 'x');
      return [
        await side.send(onKey('GET', 'legal-hold')),
        await side.send(onKey('GET', 'legal-hold', { key: 'none' })),
      ];
    },
  },
  {
    operation: 'DeleteObject',
    what: 'under governance, with and without the bypass',
    bucket: LOCKED,
    run: async (side) => {
      const made = await put(side, 'k', 'x', {
        'x-amz-object-lock-mode': 'GOVERNANCE',
        'x-amz-object-lock-retain-until-date': UNTIL,
      });
      const bypass = { 'x-amz-bypass-governance-retention': 'true' };
      return [
        await side.send({ method: 'DELETE', key: 'k', query: versionOf(made) }),
        await side.send({ method: 'DELETE', key: 'k', query: versionOf(made), headers: bypass }),
      ];
    },
  },
  {
    operation: 'RestoreObject',
    what: 'an object that is not archived',
    run: async (side) => {
      await put(side, 'k', 'x');
      return side.send({
        method: 'POST',
        key: 'k',
        query: { restore: '' },
        body: document('RestoreRequest', '<Days>1</Days>'),
      });
    },
  },
];
