/** Key policies and identities as callers of the gateway and the proxy meet them: real clients, real servers. */
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import pg from 'pg';
import { expect, test } from 'vitest';
import type { AccessOptions, IdentityOptions } from '../../src/keys/access/options.ts';
import { document, type Json } from '../support/keys/access.ts';
import { startPostgres } from '../support/postgres/postgres.ts';
import { openSearchedDatabase } from '../support/postgres/sealed-database.ts';
import { BUCKET, startBackend, startSealed } from '../support/s3/sealed.ts';

function accessOf(name: string, ...statements: readonly Json[]): AccessOptions {
  const identity: IdentityOptions = {
    arn: `arn:aws:iam::000000000000:user/${name}`,
    policies: statements.length === 0 ? [] : [{ name: 'own', document: document(...statements) }],
  };
  return {
    identities: [identity],
    organizationPolicies: [],
    unlistedStorageCallers: 'use-keys',
    grantsCrossAccounts: false,
  };
}

test('An S3 client whose policy speaks of a prefix reads nothing below it, and everything else', async () => {
  const backend = await startBackend('s3rver');
  if (typeof backend === 'string') throw new Error(backend);
  const notSecret = { StringNotLike: { 'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${BUCKET}/secret/*` } };
  const setup = await startSealed(
    backend,
    accessOf(
      'app',
      { Effect: 'Allow', Action: 'kms:GenerateDataKey', Resource: '*' },
      { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: notSecret },
    ),
  );
  try {
    const [client] = setup.clients;
    for (const Key of ['open/a', 'secret/a'])
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'text' }));
    const open = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'open/a' }));
    expect(await open.Body?.transformToString()).toBe('text');
    await expect(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'secret/a' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
  } finally {
    await setup.close();
    await backend.close();
  }
});

test('A key policy sees the context that an S3 client gives, and by which service it comes', async () => {
  const backend = await startBackend('s3rver');
  if (typeof backend === 'string') throw new Error(backend);
  const ofLedger = {
    StringEquals: { 'kms:EncryptionContext:department': 'ledger', 'kms:ViaService': 's3.eu-central-1.amazonaws.com' },
  };
  const setup = await startSealed(
    backend,
    accessOf('app', {
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: '*',
      Condition: ofLedger,
    }),
  );
  const asked = (department: string) => ({
    ServerSideEncryption: 'aws:kms' as const,
    SSEKMSEncryptionContext: Buffer.from(JSON.stringify({ department })).toString('base64'),
  });
  try {
    const [client] = setup.clients;
    const put = (more: object) =>
      client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'a', Body: 'text', ...more }));
    for (const more of [{}, asked('sales')])
      await expect(put(more)).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    await put(asked('ledger'));
    // The context lies beside the object: who reads it need not know it, and the policy sees it all the same.
    const read = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'a' }));
    expect(await read.Body?.transformToString()).toBe('text');
  } finally {
    await setup.close();
    await backend.close();
  }
});

test('A Postgres role without a right to the key is told so as a privilege it lacks, and keeps the rest of the table', async () => {
  const server = await startPostgres();
  const ddl = `CREATE TABLE people (id int, email sealgate.sealed); CREATE ROLE reader LOGIN PASSWORD 'reader'; GRANT SELECT ON people TO reader;`;
  const rules = [{ table: 'people', column: 'email', type: 'text' }];
  const db = await openSearchedDatabase(server, 'guarded', ddl, rules, accessOf('postgres/guarded/reader'));
  const owner = new pg.Client({ connectionString: db.url });
  const url = new URL(db.url);
  url.username = 'reader';
  url.password = 'reader';
  const reader = new pg.Client({ connectionString: url.href });
  try {
    await owner.connect();
    await reader.connect();
    await owner.query('INSERT INTO people (id, email) VALUES (1, $1)', ['ann@example.org']);
    expect((await owner.query('SELECT email FROM people')).rows).toEqual([{ email: 'ann@example.org' }]);
    expect((await reader.query('SELECT id FROM people')).rows).toEqual([{ id: 1 }]);
    await expect(reader.query('SELECT email FROM people')).rejects.toMatchObject({
      code: '42501',
      message: expect.stringContaining(
        'user/postgres/guarded/reader is not authorized to perform: kms:Decrypt',
      ) as unknown,
    });
    expect((await reader.query('SELECT id FROM people')).rows).toEqual([{ id: 1 }]);
  } finally {
    await reader.end();
    await owner.end();
    await db.close();
    await server.stop();
  }
});
