/** What `demo --once` asserts, each claim a function that looks at the real servers and files. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import { BUCKET, LARGE_KEY, sha256, type DemoObject } from './files.ts';
import type { Customer } from './people.ts';
import { searchFiles } from './search-files.ts';

export type Claim = { readonly holds: boolean; readonly text: string };

/** Everything the claims look at. */
export type DemoWorld = {
  /** Through Sealgate, and straight to the server. */
  readonly sql: { readonly sealed: Client; readonly direct: Client };
  readonly s3: { readonly sealed: S3Client; readonly direct: S3Client };
  readonly folders: { readonly postgres: string; readonly objects: string };
  readonly customers: readonly Customer[];
  readonly canaries: readonly string[];
  readonly documents: readonly DemoObject[];
  readonly ledgerSha256: string;
};

/** Row by row, every value: `birth_date` as text, since drivers make dates of their own of it. */
async function everyValueReadsBack({ sql, customers }: DemoWorld): Promise<Claim> {
  const { rows } = await sql.sealed.query<Record<string, unknown>>(
    'select id, name, national_id, email, card_number, birth_date, notes from customers order by id',
  );
  const equal = customers.filter((customer, index) => {
    const row = rows[index];
    return (
      row !== undefined &&
      row['id'] === customer.id &&
      row['name'] === customer.name &&
      row['national_id'] === customer.nationalId &&
      row['email'] === customer.email &&
      row['card_number'] === customer.cardNumber &&
      row['birth_date'] === customer.birthDate &&
      row['notes'] === customer.notes
    );
  }).length;
  return {
    holds: equal === customers.length && rows.length === customers.length,
    text: `all ${customers.length} customers read back equal through Sealgate, value by value`,
  };
}

async function searchFindsExactly({ sql, customers }: DemoWorld): Promise<Claim> {
  const wanted = customers.filter((_, index) => index % 97 === 0);
  const emails = wanted.map(({ email }) => email);
  const { rows } = await sql.sealed.query<{ id: number }>(
    'select id from customers where email = any($1) order by id',
    [emails],
  );
  const one = await sql.sealed.query<{ id: number }>('select id from customers where national_id = $1', [
    wanted[1]?.nationalId,
  ]);
  const holds =
    rows.map(({ id }) => id).join() === wanted.map(({ id }) => id).join() &&
    one.rows.some(({ id }) => id === wanted[1]?.id);
  return {
    holds,
    text: `searching sealed columns by equality (=, = ANY) finds exactly the ${wanted.length} rows asked for`,
  };
}

async function rowsAreSealed({ sql, canaries }: DemoWorld): Promise<Claim> {
  const { rows } = await sql.direct.query<{ line: string }>(`select c::text as line from customers c`);
  const text = rows.map(({ line }) => line).join('\n');
  // A bytea prints as hex: plaintext inside it would not show as itself.
  const decoded = rows
    .map(({ line }) =>
      [...line.matchAll(/\\x([0-9a-f]+)/g)]
        .map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
        .join('\n'),
    )
    .join('\n');
  const seen = canaries.filter((canary) => text.includes(canary) || decoded.includes(canary));
  return {
    holds: seen.length === 0 && rows.length > 0,
    text: `none of ${canaries.length} canaries in ${rows.length} rows read straight from the server`,
  };
}

async function databaseFilesAreSealed({ sql, folders, canaries }: DemoWorld): Promise<Claim> {
  await sql.direct.query('checkpoint');
  const { found, files, bytes } = await searchFiles(folders.postgres, canaries);
  return {
    holds: found.length === 0 && bytes > 0,
    text: `none of ${canaries.length} canaries in the database’s files (${files} files, ${Math.round(bytes / 2 ** 20)} MiB, write-ahead log included)${place(found)}`,
  };
}

async function objectFilesAreSealed({ folders, canaries }: DemoWorld): Promise<Claim> {
  const { found, files, bytes } = await searchFiles(folders.objects, canaries);
  return {
    holds: found.length === 0 && bytes > 0,
    text: `none of ${canaries.length} canaries in the object store’s files (${files} files, ${Math.round(bytes / 2 ** 20)} MiB)${place(found)}`,
  };
}

function place(found: readonly { readonly file: string; readonly offset: number }[]): string {
  const [first] = found;
  return first === undefined ? '' : `: FOUND in ${first.file} at ${first.offset}`;
}

async function getBytes(client: S3Client, key: string, range?: string): Promise<Uint8Array> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: BUCKET, Key: key, ...(range === undefined ? {} : { Range: range }) }),
  );
  if (Body === undefined) throw new TypeError('GetObject answers with a body');
  return Body.transformToByteArray();
}

async function objectsReadBack({ s3, documents, ledgerSha256 }: DemoWorld): Promise<Claim> {
  const small = await Promise.all(
    documents.map(async ({ key, body }) => Buffer.from(await getBytes(s3.sealed, key)).equals(body)),
  );
  const large = sha256(await getBytes(s3.sealed, LARGE_KEY)) === ledgerSha256;
  return {
    holds: small.every(Boolean) && large,
    text: `all ${documents.length} documents and the 64 MiB ledger read back equal through Sealgate`,
  };
}

async function rangesReadBack({ s3, documents }: DemoWorld): Promise<Claim> {
  const contacts = documents.find(({ key }) => key.endsWith('contacts.csv'));
  const part = await getBytes(s3.sealed, 'exports/contacts.csv', 'bytes=1000-1999');
  const holds = contacts !== undefined && Buffer.from(part).equals(contacts.body.subarray(1000, 2000));
  return { holds, text: 'a byte range of a sealed object is exactly that range' };
}

async function sizesArePlain({ s3, documents }: DemoWorld): Promise<Claim> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const listed = await s3.sealed.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const sizes = new Map((listed.Contents ?? []).map(({ Key, Size }) => [Key, Size]));
  const holds =
    documents.every(({ key, body }) => sizes.get(key) === body.length) &&
    sizes.get(LARGE_KEY) === 64 * 2 ** 20 &&
    sizes.size === documents.length + 1;
  return { holds, text: 'listings show plaintext sizes, of the multipart object too, and nothing of Sealgate’s own' };
}

async function plaintextIsRejected({ sql }: DemoWorld): Promise<Claim> {
  const refused = await sql.direct
    .query(`update customers set notes = convert_to('plain text', 'UTF8') where id = 1`)
    .then(
      () => false,
      (error: { code?: string }) => error.code === '23514',
    );
  return {
    holds: refused,
    text: 'the server itself rejects plaintext in a sealed column (guard domain), also past Sealgate',
  };
}

async function inexactIsRefused({ sql }: DemoWorld): Promise<Claim> {
  const refused = await sql.sealed.query(`select id from customers where notes like '%address%'`).then(
    () => false,
    (error: { code?: string }) => error.code === '0A000',
  );
  return {
    holds: refused,
    text: 'a search that ciphertext cannot answer is refused (SQLSTATE 0A000), not answered wrongly',
  };
}

export const CLAIMS: readonly ((world: DemoWorld) => Promise<Claim>)[] = [
  everyValueReadsBack,
  searchFindsExactly,
  rowsAreSealed,
  databaseFilesAreSealed,
  plaintextIsRejected,
  inexactIsRefused,
  objectsReadBack,
  rangesReadBack,
  sizesArePlain,
  objectFilesAreSealed,
];
