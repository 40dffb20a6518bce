/** Opens one stored object with the key store alone. */
import { createReadStream, existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CustomerKey, Dek } from '../../crypto/key-types.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { malformed } from '../../envelope/errors.ts';
import { FOOTER_BLOCK_BYTES } from '../../envelope/limits.ts';
import { customerDek, isCustomerDek } from '../../envelope/object/customer-key.ts';
import { openFooter } from '../../envelope/object/footer.ts';
import { decodeEnvelope, verifyEnvelope, type ObjectEnvelope } from '../../envelope/object/object-envelope.ts';
import { ObjectOpener, type ListedParts } from '../../envelope/object/object-opener.ts';
import { openMetadata } from '../../envelope/object/sealed-metadata.ts';
import type { DataKeys, KeyUse } from '../../keys/uses/data-keys.ts';
import { OutputEnded, type CommandIo } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';
import { writeNewFile } from '../new-file.ts';
import type { StoredHeaders } from './stored-headers.ts';

/** Where the object lay: part of what its data key is bound to. */
export type ObjectPlace = { readonly bucket: string; readonly key: string };
export type StoredObject = {
  readonly path: string;
  readonly place: ObjectPlace;
  readonly stored: StoredHeaders;
  /** Of an object that was stored with a customer's key. */
  readonly customerKey: CustomerKey | undefined;
};

type Headers = Readonly<Record<string, string>>;

type Opening = {
  readonly keys: Pick<DataKeys, 'decrypt'>;
  readonly use: KeyUse;
  /** Undefined: stdout. */
  readonly out: string | undefined;
  readonly io: Pick<CommandIo, 'stdout' | 'signal'>;
};

/** `headers`: those of the store that are proven, and the user metadata. Errors: ERR_ENVELOPE_*, ERR_KEYS_*, ERR_CLI_USAGE, ERR_CLI_READ, ERR_CLI_WRITE, ERR_CLI_EXISTS. */
export async function openObject(object: StoredObject, opening: Opening): Promise<{ headers: Headers }> {
  if (opening.out !== undefined && existsSync(opening.out))
    throw new CliError('ERR_CLI_EXISTS', `${opening.out} exists already`);
  const envelope = decodeEnvelope(object.stored.envelope);
  checkGiven(envelope, object.customerKey);
  const { dek: unwrapped } = await opening.keys.decrypt(
    { wrapped: wrappedDek(envelope), context: contextOf(envelope, object.place) },
    opening.use,
  );
  const vouched = provenHeaders(envelope, unwrapped, object.stored);
  const dek = wholeDek(envelope, unwrapped, object.customerKey);
  const headers = { ...vouched, ...sealedHeaders(envelope, dek) };
  const footer = envelope.layout === 'multipart' ? await readFooter(object.path, envelope, dek) : undefined;
  const opener = new ObjectOpener({ dek, objectId: envelope.objectId, layout: envelope.layout, footer });
  await writeOpened(object.path, opener, opening);
  return { headers };
}

function wrappedDek(envelope: ObjectEnvelope): Uint8Array {
  const wrap = envelope.wraps.find(({ type }) => type === 'direct');
  if (wrap === undefined) throw malformed();
  return wrap.wrapped;
}

/** As the S3 gateway wraps it (docs/FORMAT.md, "Sealed object"). */
function contextOf(envelope: ObjectEnvelope, { bucket, key }: ObjectPlace): EncryptionContext {
  const objectId = Buffer.from(envelope.objectId).toString('hex');
  return { ...envelope.context, 'aws:s3:arn': `arn:aws:s3:::${bucket}/${key}`, 'sealgate:object-id': objectId };
}

/** Errors: ERR_CLI_USAGE. */
function checkGiven({ customerCheck }: ObjectEnvelope, given: CustomerKey | undefined): void {
  if (customerCheck !== undefined && given === undefined)
    throw new CliError(
      'ERR_CLI_USAGE',
      'the object was stored with a customer’s key (SSE-C): give it by --customer-key',
    );
  if (customerCheck === undefined && given !== undefined)
    throw new CliError('ERR_CLI_USAGE', 'the object was stored without a customer’s key: leave --customer-key away');
}

/** Errors: ERR_CLI_USAGE (another customer's key). */
function wholeDek({ customerCheck, objectId }: ObjectEnvelope, unwrapped: Dek, given: CustomerKey | undefined): Dek {
  if (customerCheck === undefined || given === undefined) return unwrapped;
  const dek = customerDek(unwrapped, given, objectId);
  if (isCustomerDek(dek, objectId, customerCheck)) return dek;
  throw new CliError('ERR_CLI_USAGE', 'the key of --customer-key is not the one the object was stored with');
}

/** Without the store's headers there is nothing to prove them by; the body proves itself under the DEK either way. */
const provenHeaders = (envelope: ObjectEnvelope, unwrapped: Dek, { headers }: StoredHeaders): Headers =>
  headers === undefined ? {} : verifyEnvelope(envelope, unwrapped, headers);

/** User metadata; a name that begins with `:` is a header of that name. */
function sealedHeaders({ sealedMetadata, objectId }: ObjectEnvelope, dek: Dek): Headers {
  const pairs = sealedMetadata === undefined ? {} : openMetadata(sealedMetadata, dek, objectId);
  return Object.fromEntries(
    Object.entries(pairs).map(([name, value]) => [name.startsWith(':') ? name.slice(1) : `x-amz-meta-${name}`, value]),
  );
}

async function readFooter(path: string, { objectId }: ObjectEnvelope, dek: Dek): Promise<ListedParts> {
  await using file = await openStored(path);
  const { size } = await file.stat();
  const tail = new Uint8Array(Math.min(size, FOOTER_BLOCK_BYTES));
  await file.read(tail, 0, tail.length, size - tail.length);
  return openFooter(tail, dek, objectId);
}

async function openStored(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw cannotRead(path, cause);
  }
}

async function writeOpened(path: string, opener: ObjectOpener, { out, io }: Opening): Promise<void> {
  const plaintext = openedPieces(path, opener);
  if (out === undefined) {
    await pipeline(plaintext, keepOpen(io.stdout), { signal: io.signal });
    return;
  }
  await writeNewFile(out, async (file) => {
    // By the handle itself: a stream over it that must not close it never ends either.
    for await (const piece of plaintext) {
      io.signal.throwIfAborted();
      await file.writeFile(piece);
    }
  });
}

async function* openedPieces(path: string, opener: ObjectOpener): AsyncGenerator<Uint8Array> {
  await using file = await openStored(path);
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, {
    fd: file,
    autoClose: false,
    highWaterMark: 1024 * 1024,
  });
  for await (const chunk of chunks) yield* opener.push(chunk);
  opener.finish();
}

/** `pipeline` ends its target, and stdout is not ours to end. */
function keepOpen(stdout: Writable): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      stdout.write(chunk, (error) => done(error ? new OutputEnded('stdout ended', { cause: error }) : null));
    },
  });
}
