/**
 * Operations that have no cases: refused in a bucket with rules, each with the reason. A test asks for each and expects `NotImplemented`; who
 * builds one takes it out here and adds cases.
 */
import type { S3OperationName } from '../../src/s3/operation-names.ts';

const AROUND = (name: string): string =>
  `would hand data around the gateway; passed where the rules of the bucket say \`allowAround: [${name}]\``;
const TABLES = 'tables of metadata are kept by AWS alone, and would hold names and sizes of what is stored';
const SEALED = 'the store sees ciphertext only, and cannot do this for the gateway';

export const REFUSED: Readonly<Partial<Record<S3OperationName, string>>> = {
  DeleteBucketPolicy: AROUND('policy'),
  DeletePublicAccessBlock: AROUND('publicAccess'),
  PutBucketAnalyticsConfiguration: AROUND('analytics'),
  PutBucketInventoryConfiguration: AROUND('inventory'),
  PutBucketPolicy: AROUND('policy'),
  PutBucketReplication: AROUND('replication'),
  PutBucketWebsite: AROUND('website'),
  CreateSession: 'of directory buckets, which have other endpoints',
  GetBucketAbac: 'decides by tags who may do what; the gateway decides that',
  PutBucketAbac: 'decides by tags who may do what; the gateway decides that',
  CreateBucketMetadataConfiguration: TABLES,
  CreateBucketMetadataTableConfiguration: TABLES,
  DeleteBucketMetadataConfiguration: TABLES,
  DeleteBucketMetadataTableConfiguration: TABLES,
  GetBucketMetadataConfiguration: TABLES,
  GetBucketMetadataTableConfiguration: TABLES,
  UpdateBucketMetadataInventoryTableConfiguration: TABLES,
  UpdateBucketMetadataJournalTableConfiguration: TABLES,
  GetObjectTorrent: SEALED,
  SelectObjectContent: SEALED,
  UpdateObjectEncryption: 'would change the encryption of the ciphertext; the rule says which key seals',
  RenameObject: 'of directory buckets, which have other endpoints',
};

/** Of other endpoints than S3’s: no request of theirs comes here. */
export const ELSEWHERE: Readonly<Partial<Record<S3OperationName, string>>> = {
  ListDirectoryBuckets: 'asked of another endpoint (S3 Express)',
  WriteGetObjectResponse: 'asked of another endpoint (Object Lambda)',
};

/** Answered by the gateway alone, whatever the backend would say; each has tests of its own. */
export const OWN: Readonly<Partial<Record<S3OperationName, string>>> = {
  GetBucketEncryption: 'says what the rule says (test/e2e/s3/bucket-encryption.test.ts)',
  PutBucketEncryption: 'takes what says the same as the rule (likewise)',
  DeleteBucketEncryption: 'goes back to what the rule says (likewise)',
};
