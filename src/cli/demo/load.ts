/** Creates and fills the demo's table and bucket, as an application would: through Sealgate, with ordinary clients. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import { BUCKET, LARGE_KEY, type DemoObject } from './files.ts';
import type { Customer } from './people.ts';

type Progress = (fraction: number) => void;

/** Rows per INSERT. */
const BATCH_ROWS = 50;
const PART_BYTES = 8 * 1024 * 1024;

/** As the owner of the database would, with ordinary types: the rules come afterwards, and with them the DDL of `check`. */
export async function createDatabase(admin: Client, secret: string): Promise<void> {
  // Roles' passwords cannot be parameters of DDL; the secret is hex made by the demo.
  await admin.query(`create role sealgate login password '${secret}'`);
  await admin.query(`create role app login password '${secret}'`);
  await admin.query('create database shop');
  await admin.query('grant create on database shop to sealgate');
}

export async function createTable(owner: Client): Promise<void> {
  await owner.query(`create table customers (
    id int primary key, name text not null, national_id text, email text unique, card_number text, birth_date date, notes text)`);
  await owner.query('grant select, insert, update, delete on customers to app');
}

export async function loadCustomers(client: Client, customers: readonly Customer[], progress: Progress): Promise<void> {
  for (let start = 0; start < customers.length; start += BATCH_ROWS) {
    const batch = customers.slice(start, start + BATCH_ROWS);
    const rows = batch.map((_, row) => `(${[1, 2, 3, 4, 5, 6, 7].map((column) => `$${row * 7 + column}`).join(', ')})`);
    const values = batch.flatMap((one) => [
      one.id,
      one.name,
      one.nationalId,
      one.email,
      one.cardNumber,
      one.birthDate,
      one.notes,
    ]);
    await client.query(
      `insert into customers (id, name, national_id, email, card_number, birth_date, notes) values ${rows.join(', ')}`,
      values,
    );
    progress(Math.min(1, (start + BATCH_ROWS) / customers.length));
  }
}

export async function loadDocuments(client: S3Client, documents: readonly DemoObject[]): Promise<void> {
  const { CreateBucketCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const { key, type, body } of documents) {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentType: type }));
  }
}

export async function uploadLedger(client: S3Client, body: Uint8Array, progress: Progress): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const upload = new Upload({
    client,
    params: { Bucket: BUCKET, Key: LARGE_KEY, Body: body, ContentType: 'text/csv' },
    partSize: PART_BYTES,
    queueSize: 4,
  });
  upload.on('httpUploadProgress', ({ loaded = 0 }) => progress(loaded / body.length));
  await upload.done();
}
