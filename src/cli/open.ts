/** `sealgate open object | value`: opens sealed data with the key store alone, when there is no proxy, or to prove that none is needed. */
import { resolve } from 'node:path';
import { defineCommand, EXIT, type Command } from './command.ts';
import { CliError } from './errors.ts';
import { keySettings, STORE_OPTIONS, terminalUse, withKeys } from './keys/session.ts';
import type { ObjectPlace, StoredObject } from './open/open-object.ts';

const openObjectCommand = defineCommand({
  name: 'open object',
  summary: 'open a sealed object that was fetched straight from its store',
  usage:
    'open object <stored file> --object s3://<bucket>/<key> (--head <file> | --envelope <text>) [--customer-key <file>] [--out <file>]',
  example:
    'aws s3api get-object --endpoint-url https://store.internal --bucket customers --key a.pdf stored.bin > head.json\nsealgate open object stored.bin --object s3://customers/a.pdf --head head.json --out a.pdf',
  details:
    'The object is written to stdout unless --out is given. Only bytes that verified are written; with --out the file appears once the\nobject was proven whole. --head takes what `aws s3api get-object` or `head-object` prints: then the headers stored with the object are\nproven too. --envelope takes the value of the metadata `sealgate` alone. --customer-key takes the key of an object that was stored with one (SSE-C).\nStop `sealgate up` first: each use of a key is in the audit log, which has one writer.',
  options: {
    ...STORE_OPTIONS,
    object: {
      type: 'string',
      placeholder: 's3://bucket/key',
      help: 'its name (the bucket’s `id`, where its rule has one)',
    },
    head: { type: 'string', placeholder: 'file', help: 'the JSON that the AWS CLI printed for the object' },
    envelope: { type: 'string', placeholder: 'text', help: 'the metadata value `sealgate` of the object (sg1.…)' },
    'customer-key': {
      type: 'string',
      placeholder: 'file',
      help: 'the key that the client stored it with: 32 bytes, or base64',
    },
    out: { type: 'string', short: 'o', placeholder: 'file', help: 'where to write it; must not exist' },
    headers: { type: 'boolean', help: 'print the object’s headers and user metadata to stderr, as JSON' },
  },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [file = ''], values }, io) => {
    const { openObject } = await import('./open/open-object.ts');
    const { readStoredHeaders } = await import('./open/stored-headers.ts');
    const { readCustomerKey } = await import('./open/customer-key-file.ts');
    const { 'customer-key': customerKey } = values;
    const object: StoredObject = {
      path: resolve(io.cwd, file),
      place: parsePlace(values.object),
      stored: readStoredHeaders(values, io),
      customerKey: customerKey === undefined ? undefined : readCustomerKey(customerKey, io),
    };
    const settings = await keySettings(values, io);
    const use = terminalUse(settings, `s3://${object.place.bucket}/${object.place.key}`);
    const out = values.out === undefined ? undefined : resolve(io.cwd, values.out);
    const { headers } = await withKeys(settings, (keys) => openObject(object, { keys, use, out, io }));
    if (values.headers === true) io.stderr.write(`${JSON.stringify(headers, undefined, 2)}\n`);
    return EXIT.ok;
  },
});

const openValueCommand = defineCommand({
  name: 'open value',
  summary: 'open one sealed value of a Postgres column',
  usage: 'open value <hex> [--type <type>]',
  example:
    "psql -Atc 'SELECT national_id FROM customers LIMIT 1' > value.hex   # straight to the database\nsealgate open value @value.hex --type text",
  details:
    'The value as psql prints it (\\xf5534756…), or @file with the same text. Its data key is taken from the escrow in the key store.\nWithout --type the value’s canonical bytes are written; with it, the value as text.\nStop `sealgate up` first: each use of a key is in the audit log, which has one writer.',
  options: {
    ...STORE_OPTIONS,
    type: { type: 'string', placeholder: 'type', help: 'the column’s logical type, e.g. `numeric(10,2)`' },
  },
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [given = ''], values }, io) => {
    const { openSealedValue, parseSealedText } = await import('./open/open-value.ts');
    const sealed = parseSealedText(given, io);
    const settings = await keySettings(values, io);
    const use = terminalUse(settings, 'open value');
    const opened = await withKeys(settings, (keys) => openSealedValue(sealed, values.type, { keys, use }));
    io.stdout.write(opened);
    if (values.type !== undefined) io.stdout.write('\n');
    return EXIT.ok;
  },
});

export const openCommands: readonly Command[] = [openObjectCommand, openValueCommand];

function parsePlace(text: string | undefined): ObjectPlace {
  const match = /^s3:\/\/([^/]+)\/(.+)$/su.exec(text ?? '');
  const [, bucket, key] = match ?? [];
  if (bucket === undefined || key === undefined)
    throw new CliError('ERR_CLI_USAGE', '--object takes the object’s name: s3://<bucket>/<key>');
  return { bucket, key };
}
