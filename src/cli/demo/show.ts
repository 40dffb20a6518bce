/** The two sides of Sealgate, side by side, through ordinary clients; and commands to go on with. */
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { DemoWorld } from './claims.ts';
import { BUCKET } from './files.ts';
import type { Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';

const SHOWN_BYTES = 24;

/** What the demo's rules (`config/demo.yaml`) say of each column, in words. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: 'no rule',
  name: 'no rule',
  national_id: 'deterministic',
  email: 'deterministic',
  card_number: 'randomized',
  birth_date: 'randomized',
  notes: 'randomized',
};

/** Sealed values begin alike (format, DEK) and differ further on: both ends are shown. */
function atRest(value: unknown): string {
  if (!Buffer.isBuffer(value)) return String(value);
  const hex = value.toString('hex');
  return `\\x${hex.slice(0, 8)}…${hex.slice(-12)} (${value.length} B)`;
}

async function showCustomers({ sql }: DemoWorld, terminal: Terminal): Promise<void> {
  const statement = `select ${Object.keys(COLUMNS).join(', ')} from customers where id in (1, 2) order by id`;
  terminal.line(`  ${statement}`);
  const [seen, stored] = await Promise.all(
    [sql.sealed, sql.direct].map(async (client) => (await client.query<Record<string, unknown>>(statement)).rows),
  );
  for (const [index, row] of (seen ?? []).entries()) {
    terminal.line();
    terminal.table(
      Object.entries(COLUMNS).map(([column, rule]) => ({
        column,
        'the application sees': row[column],
        'lies at rest': atRest(stored?.[index]?.[column]),
        rule,
      })),
      34,
    );
  }
  terminal.line();
}

async function showSearch({ sql, customers }: DemoWorld, terminal: Terminal): Promise<void> {
  const statement = `select id, name, notes from customers where email = '${customers[6]?.email ?? ''}'`;
  terminal.line(`  ${statement} -- a deterministic column is found by equality`);
  const { rows } = await sql.sealed.query<Record<string, unknown>>(statement);
  terminal.table(rows, 80);
}

/** Printable ASCII; anything else is a dot. */
const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^ -~]/g, '·');

/** Sealed objects begin alike; what differs follows. */
async function lastBytes(client: S3Client, key: string, size: number): Promise<string> {
  const range = `bytes=${Math.max(0, size - SHOWN_BYTES)}-${size - 1}`;
  const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key, Range: range }));
  return printable((await Body?.transformToByteArray()) ?? new Uint8Array(0));
}

async function showObjects({ s3 }: DemoWorld, terminal: Terminal): Promise<void> {
  const sizes = async (client: S3Client) => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    return new Map(Contents.map(({ Key = '', Size = 0 }) => [Key, Size]));
  };
  const [seen, stored] = await Promise.all([sizes(s3.sealed), sizes(s3.direct)]);
  const rows = await Promise.all(
    [...seen].map(async ([key, size]) => ({
      object: key,
      'size seen': size,
      'last bytes seen': await lastBytes(s3.sealed, key, size),
      'size at rest': stored.get(key),
      'last bytes at rest': await lastBytes(s3.direct, key, stored.get(key) ?? 0),
    })),
  );
  terminal.table(rows, SHOWN_BYTES);
}

async function showMetadata(client: S3Client, terminal: Terminal, key: string): Promise<void> {
  const { Metadata = {} } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
  for (const [name, value] of Object.entries(Metadata))
    terminal.line(`\n  ${key} carries its wrapped data key: x-amz-meta-${name} = ${value.slice(0, 28)}…`);
}

/** Both sides in one table each, through ordinary clients: npm `pg` and the AWS SDK. */
export async function showBothSides(world: DemoWorld, terminal: Terminal): Promise<void> {
  terminal.heading('PostgreSQL: one statement, through Sealgate and straight to the server');
  await showCustomers(world, terminal);
  await showSearch(world, terminal);
  terminal.heading('S3: one bucket, through Sealgate and straight from the store');
  await showObjects(world, terminal);
  await showMetadata(world.s3.direct, terminal, world.documents[0]?.key ?? '');
}

export function showCommands({ ports, secret, backends }: Stage, terminal: Terminal): void {
  const psql = (port: number, user: string): string =>
    `PGPASSWORD=${secret} psql -h 127.0.0.1 -p ${port} -U ${user} shop`;
  const aws = (port: number, id: string, key: string): string =>
    `AWS_ACCESS_KEY_ID=${id} AWS_SECRET_ACCESS_KEY=${key} AWS_DEFAULT_REGION=us-east-1 aws --endpoint-url http://127.0.0.1:${port} s3 ls --recursive s3://${BUCKET}`;
  terminal.heading('Try it');
  terminal.line('  through Sealgate:');
  terminal.line(`    ${psql(ports.postgres, 'app')}`);
  terminal.line(`    ${aws(ports.s3, 'DEMOAPP', secret)}`);
  terminal.line('  past it, to see what lies at rest:');
  terminal.line(`    ${psql(backends.postgresPort, 'postgres')}`);
  terminal.line(`    ${aws(backends.objectsPort, 'S3RVER', 'S3RVER')}`);
  terminal.line('  metrics and health:');
  terminal.line(`    curl http://127.0.0.1:${ports.observe}/metrics`);
  terminal.line(`    curl http://127.0.0.1:${ports.observe}/readyz`);
  terminal.line('\n  Running; Ctrl-C stops everything and removes its files.');
}
