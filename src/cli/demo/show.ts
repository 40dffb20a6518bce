/** The two sides of Sealgate, side by side, through ordinary clients; and commands to go on with. */
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import type { DemoWorld } from './claims.ts';
import { BUCKET } from './files.ts';
import type { Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';

const SHOWN_BYTES = 60;

async function showRows(client: Client, terminal: Terminal, sql: string, maxCell: number): Promise<void> {
  terminal.line(`  ${sql}`);
  const { rows } = await client.query<Record<string, unknown>>(sql);
  terminal.table(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : value,
        ]),
      ),
    ),
    maxCell,
  );
  terminal.line();
}

async function showListing(client: S3Client, terminal: Terminal): Promise<void> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
  const first = async (key: string): Promise<string> => {
    const { Body } = await client.send(
      new GetObjectCommand({ Bucket: BUCKET, Key: key, Range: `bytes=0-${SHOWN_BYTES - 1}` }),
    );
    return Buffer.from((await Body?.transformToByteArray()) ?? []).toString('latin1');
  };
  const rows = await Promise.all(
    Contents.map(async ({ Key = '', Size }) => ({ key: Key, size: Size, 'first bytes': await first(Key) })),
  );
  terminal.table(rows, SHOWN_BYTES);
  terminal.line();
}

async function showMetadata(client: S3Client, terminal: Terminal, key: string): Promise<void> {
  const { Metadata = {} } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
  for (const [name, value] of Object.entries(Metadata))
    terminal.line(`  ${key}: x-amz-meta-${name} = ${value.slice(0, SHOWN_BYTES)}…`);
}

export async function showBothSides({ sql, s3, customers, documents }: DemoWorld, terminal: Terminal): Promise<void> {
  const rows = 'select id, name, national_id, email, card_number, birth_date from customers order by id limit 3';
  terminal.heading('What the application sees: PostgreSQL, through Sealgate');
  await showRows(sql.sealed, terminal, rows, 30);
  await showRows(
    sql.sealed,
    terminal,
    `select id, name, notes from customers where email = '${customers[6]?.email ?? ''}'`,
    80,
  );
  terminal.heading('What lies at rest: the same rows, straight from the server');
  await showRows(sql.direct, terminal, rows, 30);
  terminal.heading('What the application sees: S3, through Sealgate');
  await showListing(s3.sealed, terminal);
  terminal.heading('What lies at rest: the same objects, straight from the store');
  await showListing(s3.direct, terminal);
  await showMetadata(s3.direct, terminal, documents[0]?.key ?? '');
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
