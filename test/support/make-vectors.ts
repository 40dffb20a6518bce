/**
 * Makes the vectors of test/vectors/: every format of docs/FORMAT.md, from a deterministic random source, so that sealing anew gives
 * the same bytes. Run `node test/support/make-vectors.ts` to write vectors of a NEW format; it never overwrites a frozen file.
 *
 * All bytes are hex. Keys, ids and plaintexts are `shake128(label)` of their length; `random` is the seed of the nonces and salts.
 */
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeKey, type Dek, type Kek, type ServiceKey } from '../../src/crypto/key-types.ts';
import { concatBytes } from '../../src/crypto/bytes.ts';
import { encodeContext, type EncryptionContext } from '../../src/envelope/encryption-context.ts';
import { BodySealer } from '../../src/envelope/object/body-sealer.ts';
import { customerCheck, customerDek } from '../../src/envelope/object/customer-key.ts';
import { encodeFooter, sealFooterPart, type FooterInput } from '../../src/envelope/object/footer.ts';
import { encodeEnvelope } from '../../src/envelope/object/object-envelope.ts';
import type { BodyRecord } from '../../src/envelope/object/record.ts';
import { sealMetadata } from '../../src/envelope/object/sealed-metadata.ts';
import { sealUploadToken } from '../../src/envelope/object/upload-token.ts';
import { sealFormat, type PreservedFormat } from '../../src/envelope/format-preserving.ts';
import { sealValue } from '../../src/envelope/sealed-value.ts';
import { wrapKey } from '../../src/envelope/wrapped-key.ts';
import { deterministicRandom } from './deterministic-random.ts';
import { hex } from './naive-crypto.ts';
import { naiveFooter } from './naive-envelope.ts';

const VECTORS = join(import.meta.dirname, '../vectors');

/** Bytes that a label stands for in a vector. */
export const labelled = (label: string, length: number): Uint8Array =>
  Uint8Array.from(createHash('shake128', { outputLength: length }).update(label).digest());

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const dek = (): Dek => takeKey('Dek', labelled('dek', 32));
const kek = (): Kek => takeKey('Kek', labelled('kek', 32));
const serviceKey = (): ServiceKey => takeKey('ServiceKey', labelled('service key', 32));
const objectId = labelled('object id', 16);

function wrappedKey(name: string, plaintextBytes: number, context: EncryptionContext, flags: number) {
  const random = `wrapped key ${name}`;
  const [keyUuid, materialId, plaintext] = [
    labelled('key uuid', 16),
    labelled('material id', 32),
    labelled(name, plaintextBytes),
  ];
  const blob = wrapKey({ kek: kek(), keyUuid, materialId, plaintext, context, flags }, deterministicRandom(random));
  return {
    name,
    random,
    context,
    flags,
    kek: hex(labelled('kek', 32)),
    keyUuid: hex(keyUuid),
    materialId: hex(materialId),
    plaintext: hex(plaintext),
    canonicalContext: hex(encodeContext(context)),
    blob: hex(blob),
  };
}

function sealedValue(name: string, mode: 'randomized' | 'deterministic', plaintext: Uint8Array) {
  const random = `sealed value ${name}`;
  const [dekId, aad] = [labelled('dek id', 16), labelled('column id', 16)];
  const sealed = sealValue({ dek: dek(), dekId, aad, plaintext, mode }, deterministicRandom(random));
  return {
    name,
    random,
    mode,
    dek: hex(labelled('dek', 32)),
    dekId: hex(dekId),
    aad: hex(aad),
    plaintext: hex(plaintext),
    sealed: hex(sealed),
  };
}

function preservedValue(name: string, format: PreservedFormat, text: string) {
  const aad = labelled('column id', 16);
  const sealed = sealFormat({ dek: dek(), aad, format, text });
  return { name, ...format, dek: hex(labelled('dek', 32)), aad: hex(aad), text, sealed };
}

type BodyShape = {
  name: string;
  partNumber: number;
  plainLength: number;
  held?: boolean;
  final?: boolean;
  footer?: FooterInput;
};

const RECORD: BodyRecord = {
  digests: { crc32c: labelled('crc32c', 4), crc64nvme: labelled('crc64nvme', 8), sha256: labelled('sha256', 32) },
  clientChecksum: 'crc64nvme',
};

/** A body's stored bytes, whole. */
function bodyBytes(shape: BodyShape, seed: string): Uint8Array {
  const { partNumber, plainLength, held = false, final = partNumber === 0, footer } = shape;
  const random = deterministicRandom(seed);
  const sealer = new BodySealer({ dek: dek(), objectId, partNumber, plainLength, final, held }, random);
  const block = footer === undefined ? undefined : encodeFooter(footer, dek(), objectId, random);
  return concatBytes(
    sealer.header(),
    ...sealer.push(labelled(shape.name, plainLength)),
    ...sealer.finish(RECORD, block),
  );
}

/** Long bodies are given by their hash: the plaintext follows from the name. */
function body(shape: BodyShape) {
  const random = `body ${shape.name}`;
  const stored = bodyBytes(shape, random);
  const bytes =
    stored.length < 1000
      ? { stored: hex(stored) }
      : { prefix: hex(stored.subarray(0, 104)), storedSha256: sha256Hex(stored) };
  return {
    ...shape,
    random,
    footer: undefined,
    storedLength: stored.length,
    plaintextSha256: sha256Hex(labelled(shape.name, shape.plainLength)),
    ...bytes,
  };
}

/** Three parts, numbers with a gap, and both ways to end: given by the hash of the whole, and the footer block in full. */
export function multipartBytes(ending: 'footer part' | 'short last part'): Uint8Array[] {
  const parts = [
    [1, 70_000],
    [2, 70_000],
    [7, 1000],
  ].map(([partNumber = 0, plainLength = 0]) => ({ partNumber, plainLength }));
  const footer: FooterInput = {
    parts,
    checksum: { algorithm: 'crc64nvme', type: 'FULL_OBJECT', value: labelled('object checksum', 8) },
  };
  const isShort = ending === 'short last part';
  const bodies = parts.map((part, i) => {
    const last = isShort && i === parts.length - 1 ? { final: true, footer } : {};
    return bodyBytes({ name: `part ${part.partNumber}`, ...part, ...last }, `${ending} ${part.partNumber}`);
  });
  return isShort
    ? bodies
    : [...bodies, sealFooterPart(footer, dek(), objectId, deterministicRandom(`${ending} footer`))];
}

/** The least that is long; the longest with segments of 64 KiB; the shortest with longer ones; one behind another part. */
const LAST_LENGTHS = [5_242_880, 6_289_880, 6_289_881, 6_500_000];

/** A client's part 10 000: the list is in its padding, whatever its length; or as it is held before that. */
function lastShape(name: string, plainLength: number, held: boolean): BodyShape {
  const shape = { name, partNumber: 10_000, plainLength };
  if (held) return { ...shape, held };
  const before = plainLength === 6_500_000 ? [{ partNumber: 1, plainLength: 70_000 }] : [];
  return { ...shape, final: true, footer: { parts: [...before, { partNumber: 10_000, plainLength }] } };
}

/** Its stored bytes. */
export const partLastBytes = (name: string, plainLength: number, held: boolean): Uint8Array =>
  bodyBytes(lastShape(name, plainLength, held), `body ${name}`);

function lastPart(name: string, plainLength: number, held = false) {
  const made = body(lastShape(name, plainLength, held));
  return held ? made : { ...made, footerBlock: hex(partLastBytes(name, plainLength, held).subarray(-6656)) };
}

/** Lists that have no room for the lengths of their parts: as they were written before there were groups, and since. */
function unlistedFooter(count: number, withoutGroups: boolean) {
  const parts = Array.from({ length: count }, (_, i) => ({
    partNumber: i + 1,
    plainLength: 5_242_880 + ((i * 7919) % 65_521) * 97,
  }));
  const name = `${count} parts${withoutGroups ? ' without groups' : ''}`;
  const salt = labelled(name, 32);
  const block = withoutGroups
    ? naiveFooter({ dek: labelled('dek', 32), objectId, salt, parts, withoutGroups })
    : encodeFooter({ parts }, dek(), objectId, () => salt);
  return { name, count, footerBlock: hex(block) };
}

function multipart(ending: 'footer part' | 'short last part') {
  const stored = concatBytes(...multipartBytes(ending));
  return {
    name: ending,
    storedLength: stored.length,
    storedSha256: sha256Hex(stored),
    footerBlock: hex(stored.subarray(-6656)),
  };
}

function envelopes() {
  const random = 'sealed metadata';
  const headers = { 'content-type': 'text/plain', 'x-amz-meta-colour': 'red', 'cache-control': 'no-store' };
  const wrapped = wrapKey(
    {
      kek: kek(),
      keyUuid: labelled('key uuid', 16),
      materialId: labelled('material id', 32),
      plaintext: labelled('dek', 32),
      context: { 'aws:s3:arn': 'arn:aws:s3:::bucket/key' },
    },
    deterministicRandom('envelope wrap'),
  );
  const sealedMetadata = sealMetadata({ 'x-amz-meta-name': 'Ada' }, dek(), objectId, deterministicRandom(random));
  const least = { layout: 'single', objectId, wraps: [{ type: 'direct', wrapped }], boundHeaders: {} } as const;
  const full = {
    ...least,
    layout: 'multipart',
    boundHeaders: headers,
    keyHint: 'arn:aws:kms:eu-central-1:123456789012:key/1',
    plainSize: 77,
    wraps: [
      ...least.wraps,
      { type: 'inline', intermediateId: labelled('intermediate', 16), wrappedIntermediate: wrapped, wrapped },
      { type: 'byId', intermediateId: labelled('intermediate', 16), wrapped },
    ],
    checksum: { algorithm: 'sha256', type: 'COMPOSITE' },
    context: { tenant: 'a' },
    sealedMetadata,
  } as const;
  return [
    { name: 'least', headers: {}, wrapped: hex(wrapped), text: encodeEnvelope(least, dek()) },
    {
      name: 'every field',
      headers,
      metadata: { 'x-amz-meta-name': 'Ada' },
      random,
      wrapped: hex(wrapped),
      text: encodeEnvelope(full, dek()),
    },
  ];
}

function uploadToken() {
  const place = { bucket: 'bucket', key: 'dir/file' };
  const fields = {
    backendUploadId: 'backend-upload-id',
    objectId,
    wrap: { type: 'direct', wrapped: labelled('wrap', 137) },
    createdMs: 1_764_000_000_000,
    checksum: { algorithm: 'crc32', type: 'COMPOSITE' },
    context: { tenant: 'a' },
  } as const;
  const text = sealUploadToken(fields, serviceKey(), 3, place, deterministicRandom('upload token'));
  return {
    name: 'every field',
    random: 'upload token',
    epoch: 3,
    place,
    backendUploadId: fields.backendUploadId,
    createdMs: fields.createdMs,
    wrap: hex(fields.wrap.wrapped),
    text,
  };
}

/** Format 2: half of the DEK is the customer's. */
function customerObject() {
  const half = takeKey('Dek', labelled('gateway half', 32));
  const whole = customerDek(half, takeKey('CustomerKey', labelled('customer key', 32)), objectId);
  const check = customerCheck(whole, objectId);
  const metadata = { name: 'Ada' };
  const random = { metadata: 'customer metadata', body: 'customer body', token: 'customer token' };
  const wrap = { type: 'direct', wrapped: labelled('customer wrap', 137) } as const;
  const envelope = encodeEnvelope(
    {
      layout: 'single',
      objectId,
      wraps: [wrap],
      boundHeaders: { 'content-type': 'text/plain' },
      context: { tenant: 'a' },
      sealedMetadata: sealMetadata(metadata, whole, objectId, deterministicRandom(random.metadata)),
      customerCheck: check,
    },
    half,
  );
  const input = { dek: whole, objectId, partNumber: 0, plainLength: 100, final: true };
  const sealer = new BodySealer(input, deterministicRandom(random.body));
  const plaintext = labelled('customer body', 100);
  const record: BodyRecord = { digests: {} };
  const stored = concatBytes(sealer.header(), ...sealer.push(plaintext), ...sealer.finish(record));
  const place = { bucket: 'bucket', key: 'dir/file' };
  const fields = { backendUploadId: 'upload', objectId, wrap, createdMs: 1_764_000_000_000 };
  const shown = { ...fields, customerCheck: check, keyHint: 'aws:kms bucket-key' };
  return {
    gatewayHalf: hex(labelled('gateway half', 32)),
    customerKey: hex(labelled('customer key', 32)),
    serviceKey: hex(labelled('service key', 32)),
    objectId: hex(objectId),
    random,
    dek: hex(new Uint8Array(whole.export())),
    check: hex(check),
    headers: { 'content-type': 'text/plain' },
    metadata,
    envelope,
    plaintext: hex(plaintext),
    stored: hex(stored),
    place,
    uploadToken: sealUploadToken(shown, serviceKey(), 3, place, deterministicRandom(random.token)),
  };
}

const LATER = [
  ['sha512', 64],
  ['xxhash64', 8],
  ['xxhash3', 8],
  ['xxhash128', 16],
] as const;

/** Of each checksum that S3 took in later: a body whose client sent it, and the list of an upload that was created with it. */
function laterChecksums() {
  return LATER.map(([algorithm, length]) => {
    const [random, value] = [`later ${algorithm}`, labelled(algorithm, length)];
    const input = { dek: dek(), objectId, partNumber: 0, plainLength: 100, final: true };
    const sealer = new BodySealer(input, deterministicRandom(random));
    const record: BodyRecord = {
      digests: { sha256: labelled('sha256', 32), [algorithm]: value },
      clientChecksum: algorithm,
    };
    const stored = concatBytes(sealer.header(), ...sealer.push(labelled('later', 100)), ...sealer.finish(record));
    const footer: FooterInput = {
      parts: [{ partNumber: 1, plainLength: 300 }],
      checksum: { algorithm, type: 'COMPOSITE', value },
    };
    const block = encodeFooter(footer, dek(), objectId, deterministicRandom(random));
    return { algorithm, random, value: hex(value), stored: hex(stored), footerBlock: hex(block) };
  });
}

/** The contents of each file, by name. */
export function makeVectors(): Record<string, unknown> {
  const short: FooterInput = { parts: [{ partNumber: 5, plainLength: 300 }] };
  return {
    'wrapped-key-v1.json': [
      wrappedKey('a DEK', 32, { 'aws:s3:arn': 'arn:aws:s3:::bucket/key', '\u{1f600}': 'after', '\uff5e': 'before' }, 0),
      wrappedKey('no context, multi-region', 32, {}, 1),
      wrappedKey('one byte', 1, { a: '' }, 0),
    ],
    'format-preserving-v1.json': [
      preservedValue('digits', { alphabet: 'digits', keepFirst: 0, keepLast: 0 }, '123456'),
      preservedValue('a card', { alphabet: 'digits', keepFirst: 6, keepLast: 4 }, '4111110000001111'),
      preservedValue('small', { alphabet: 'digits-and-small-letters', keepFirst: 0, keepLast: 0 }, 'a1b2'),
      preservedValue('capitals', { alphabet: 'digits-and-capitals', keepFirst: 2, keepLast: 0 }, 'CH93X0076201'),
      preservedValue('alphanumeric', { alphabet: 'alphanumeric', keepFirst: 0, keepLast: 1 }, 'Zz09aAbB'),
    ],
    'sealed-value-v1.json': [
      sealedValue('randomized', 'randomized', Buffer.from('123-45-6789')),
      sealedValue('deterministic', 'deterministic', Buffer.from('123-45-6789')),
      sealedValue('empty', 'deterministic', new Uint8Array(0)),
    ],
    'sealed-object-v1.json': {
      keys: {
        dek: hex(labelled('dek', 32)),
        kek: hex(labelled('kek', 32)),
        serviceKey: hex(labelled('service key', 32)),
        objectId: hex(objectId),
      },
      bodies: [
        body({ name: 'empty', partNumber: 0, plainLength: 0 }),
        body({ name: 'small', partNumber: 0, plainLength: 100 }),
        body({ name: 'one full segment', partNumber: 0, plainLength: 65_480 }),
        body({ name: 'one byte more', partNumber: 0, plainLength: 65_481 }),
        body({ name: 'a part', partNumber: 4, plainLength: 200_000 }),
        body({ name: 'a held part', partNumber: 4, plainLength: 100, held: true }),
        body({ name: 'a last part', partNumber: 5, plainLength: 300, final: true, footer: short }),
        body({ name: 'a part with longer segments', partNumber: 1, plainLength: 33_546_201 }),
      ],
      multipart: [multipart('short last part'), multipart('footer part')],
      envelopes: envelopes(),
      uploadTokens: [uploadToken()],
    },
    'sealed-object-v2.json': customerObject(),
    'sealed-object-later-checksums-v1.json': {
      keys: { dek: hex(labelled('dek', 32)), objectId: hex(objectId) },
      rows: laterChecksums(),
    },
    'sealed-object-many-parts-v1.json': {
      keys: { dek: hex(labelled('dek', 32)), objectId: hex(objectId) },
      footers: [unlistedFooter(9999, true), unlistedFooter(1250, false), unlistedFooter(9999, false)],
    },
    'sealed-object-part-10000-v1.json': {
      keys: { dek: hex(labelled('dek', 32)), objectId: hex(objectId) },
      bodies: [
        ...LAST_LENGTHS.map((length) => lastPart(`part 10000 of ${length}`, length)),
        lastPart('part 10000 held', 6_500_000, true),
      ],
    },
  };
}

if (import.meta.main) {
  for (const [name, content] of Object.entries(makeVectors())) {
    const path = join(VECTORS, name);
    if (existsSync(path)) console.log(`${name} is frozen`);
    else writeFileSync(path, `${JSON.stringify(content, undefined, 1)}\n`);
  }
}
