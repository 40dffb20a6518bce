/**
 * An independent, naive encoder of every format, written from docs/FORMAT.md over naive-crypto.ts: the oracle that tells whether
 * code and document say the same. Everything at once, nothing streamed, no code of src/.
 */
import { ascii, be, counterKdf, gcmSeal, hkdf, hmac, join, sha256, xaesSeal } from './naive-crypto.ts';

const ZERO_NONCE = new Uint8Array(12);
const zeros = (count: number): Uint8Array => new Uint8Array(count);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function naiveContext(context: Readonly<Record<string, string>>): Uint8Array {
  const names = Object.keys(context).sort((a, b) => Buffer.compare(utf8(a), utf8(b)));
  const block = (text: string) => join(be(utf8(text).length, 4), utf8(text));
  return join(be(names.length, 4), ...names.map((name) => join(block(name), block(context[name] ?? ''))));
}

export function naiveWrappedKey(w: {
  kek: Uint8Array;
  keyUuid: Uint8Array;
  materialId: Uint8Array;
  plaintext: Uint8Array;
  context: Readonly<Record<string, string>>;
  flags: number;
  salt: Uint8Array;
  iv: Uint8Array;
}): Uint8Array {
  const derived = counterKdf(
    w.kek,
    'sealgate wrapped key v1',
    join(Uint8Array.of(1), w.keyUuid, w.materialId, w.salt),
    64,
  );
  const header = join(
    ascii('SW'),
    Uint8Array.of(1, 1, w.flags),
    w.keyUuid,
    w.materialId.slice(0, 8),
    w.salt,
    w.iv,
    derived.slice(32),
  );
  return join(header, gcmSeal(derived.slice(0, 32), w.iv, w.plaintext, join(header, naiveContext(w.context))));
}

export function naiveSealedValue(v: {
  dek: Uint8Array;
  dekId: Uint8Array;
  aad: Uint8Array;
  plaintext: Uint8Array;
  nonce: Uint8Array | undefined;
}): Uint8Array {
  const sealKey = hkdf(v.dek, zeros(0), ascii('sealgate value v1 seal'), 32);
  const nonceKey = hkdf(v.dek, zeros(0), ascii('sealgate value v1 nonce'), 32);
  const field = (bytes: Uint8Array) => join(be(bytes.length, 4), bytes);
  const fields = [Uint8Array.of(1), Uint8Array.of(0), v.dekId, v.aad, v.plaintext].map(field);
  const nonce = v.nonce ?? hmac(nonceKey, ...fields).slice(0, 24);
  const header = join(Uint8Array.of(0xf5), ascii('SGV'), Uint8Array.of(1, 0), v.dekId);
  return join(header, nonce, xaesSeal(sealKey, nonce, v.plaintext, join(header, v.aad)));
}

const DIGESTS = [
  ['crc32', 4],
  ['crc32c', 4],
  ['crc64nvme', 8],
  ['md5', 16],
  ['sha1', 20],
  ['sha256', 32],
] as const;
type Digests = Readonly<Partial<Record<(typeof DIGESTS)[number][0], Uint8Array>>>;

export type NaiveBody = {
  dek: Uint8Array;
  objectId: Uint8Array;
  partNumber: number;
  plaintext: Uint8Array;
  final: boolean;
  held: boolean;
  salt: Uint8Array;
  noncePrefix: Uint8Array;
  digests: Digests;
  clientChecksum: number;
  later?: { code: number; value: Uint8Array } | undefined;
  footer?: Uint8Array | undefined;
};

function naiveSegmentSize(b: NaiveBody): number {
  const most = b.partNumber === 10_000 ? 96 : 512;
  const least = Math.ceil((b.plaintext.length + 40) / most) + 16;
  return b.partNumber === 0 || b.held ? 65536 : Math.max(65536, Math.ceil(least / 4096) * 4096);
}

function naiveStream(b: NaiveBody, header: Uint8Array): Uint8Array[] {
  const key = hkdf(hkdf(b.dek, b.objectId, ascii('sealgate object v1 stream'), 32), b.salt, header, 32);
  const size = naiveSegmentSize(b);
  const pieces = [b.plaintext.slice(0, size - 56)];
  for (let at = size - 56; at < b.plaintext.length; at += size - 16) pieces.push(b.plaintext.slice(at, at + size - 16));
  return pieces.map((piece, i) => {
    const last = Uint8Array.of(i === pieces.length - 1 ? 1 : 0);
    return gcmSeal(key, join(b.noncePrefix, be(i, 4), last), piece);
  });
}

export function naiveBody(b: NaiveBody): Uint8Array {
  const isPart = b.partNumber > 0 && !b.held;
  const clear = join(
    ascii('SB'),
    Uint8Array.of(1, 1),
    be((b.final ? 1 : 0) + (b.held ? 2 : 0), 2),
    be(b.partNumber, 2),
    be(b.plaintext.length, 8),
    b.objectId,
  );
  const header = join(clear, hmac(hkdf(b.dek, b.objectId, ascii('sealgate object v1 header'), 32), clear));
  const segments = naiveStream(b, header);
  const mask = DIGESTS.reduce((bits, [name], i) => bits + (b.digests[name] ? 2 ** i : 0), 0);
  const record = join(
    Uint8Array.of(b.later ? 2 : 1, mask, b.clientChecksum, b.later?.code ?? 0),
    be(b.plaintext.length, 8),
    ...DIGESTS.map(([name, length]) => b.digests[name] ?? zeros(length)),
    b.later?.value ?? zeros(0),
    zeros(80 - (b.later?.value.length ?? 0)),
  );
  const recordKey = hkdf(b.dek, b.salt, join(ascii('sealgate object v1 record'), b.objectId, header), 32);
  const footer = b.footer ?? zeros(0);
  const padding = isPart ? 16 * (512 - segments.length) - footer.length : 0;
  return join(
    header,
    Uint8Array.of(40),
    b.salt,
    b.noncePrefix,
    ...segments,
    gcmSeal(recordKey, ZERO_NONCE, record),
    zeros(padding),
    footer,
  );
}

const varint = (value: number): Uint8Array =>
  value < 128 ? Uint8Array.of(value) : join(Uint8Array.of((value % 128) + 128), varint(Math.floor(value / 128)));

export type NaiveFooter = {
  dek: Uint8Array;
  objectId: Uint8Array;
  salt: Uint8Array;
  parts: readonly { partNumber: number; plainLength: number }[];
  salts?: readonly Uint8Array[] | undefined;
  checksum?: { code: number; composite: boolean; value: Uint8Array } | undefined;
  /** As before there were groups: the numbers alone. */
  withoutGroups?: boolean;
};

function naiveGroups(lengths: readonly number[], room: number): Uint8Array {
  const groupsOf = (size: number): Uint8Array => {
    const sums = Array.from({ length: Math.ceil(lengths.length / size) - 1 }, (_, g) =>
      lengths.slice(g * size, (g + 1) * size).reduce((sum, length) => sum + length, 0),
    );
    return join(varint(size), ...sums.map(varint));
  };
  let size = 1;
  while (groupsOf(size).length > room) size += 1;
  return groupsOf(size);
}

function naiveBitmap(numbers: readonly number[]): Uint8Array {
  return zeros(1250).map((_, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((byte, bit) => byte + (numbers.includes(at * 8 + bit + 1) ? 2 ** bit : 0), 0),
  );
}

export function naiveFooter(f: NaiveFooter): Uint8Array {
  const runs: { first: number; last: number; length: number }[] = [];
  for (const { partNumber, plainLength } of f.parts) {
    const run = runs.at(-1);
    if (run?.last === partNumber - 1 && run.length === plainLength) run.last = partNumber;
    else runs.push({ first: partNumber, last: partNumber, length: plainLength });
  }
  const encoded = runs.map(({ first, last, length }, i) =>
    join(varint(first - (runs[i - 1]?.last ?? 0)), varint(length), varint(last - first + 1)),
  );
  const table = join(varint(runs.length), ...encoded);
  const value = f.checksum?.value ?? zeros(0);
  const room = value.length > 32 ? 64 : 32;
  const hasTable = 78 + room + table.length <= 6604 ? 1 : 0;
  const plain = join(
    Uint8Array.of(room / 32, hasTable + (f.salts ? 2 : 0) + (hasTable || f.withoutGroups ? 0 : 4)),
    be(f.parts.length, 2),
    be(
      f.parts.reduce((sum, p) => sum + p.plainLength, 0),
      8,
    ),
    sha256(...f.parts.map((p) => join(be(p.partNumber, 2), be(p.plainLength, 8)))),
    f.salts
      ? sha256(...f.parts.map((p, i) => join(be(p.partNumber, 2), (f.salts?.[i] ?? zeros(0)).slice(0, 8))))
      : zeros(32),
    Uint8Array.of(f.checksum?.code ?? 0, f.checksum?.composite ? 1 : 0),
    value,
    zeros(room - value.length),
    hasTable ? table : naiveBitmap(f.parts.map((p) => p.partNumber)),
    hasTable || f.withoutGroups
      ? zeros(0)
      : naiveGroups(
          f.parts.map((p) => p.plainLength),
          6604 - 78 - room - 1250,
        ),
  );
  const clear = join(ascii('SF'), Uint8Array.of(1, 1));
  const key = hkdf(f.dek, f.salt, join(ascii('sealgate object v1 footer'), f.objectId, clear), 32);
  return join(clear, f.salt, gcmSeal(key, ZERO_NONCE, join(plain, zeros(6604 - plain.length))));
}

/** `fields`: tag and value, in order. */
export function naiveEnvelope(
  dek: Uint8Array,
  layout: number,
  objectId: Uint8Array,
  fields: readonly (readonly [number, Uint8Array])[],
): string {
  const clear = join(
    ascii('SE'),
    Uint8Array.of(1, 1, layout),
    objectId,
    ...fields.map(([tag, value]) => join(Uint8Array.of(tag), be(value.length, 2), value)),
  );
  const mac = hmac(hkdf(dek, objectId, ascii('sealgate object v1 envelope'), 32), clear);
  return `sg1.${Buffer.from(join(clear, mac)).toString('base64url')}`;
}

/** Format 2: the DEK of two halves, and the envelope that goes with it. `fields` without the last, which proves the customer's key. */
export function naiveCustomerEnvelope(
  halves: { readonly gateway: Uint8Array; readonly customer: Uint8Array },
  layout: number,
  objectId: Uint8Array,
  fields: readonly (readonly [number, Uint8Array])[],
): { readonly dek: Uint8Array; readonly text: string } {
  const dek = hkdf(join(halves.gateway, halves.customer), objectId, ascii('sealgate object v2 dek'), 32);
  const check = hkdf(dek, objectId, ascii('sealgate object v2 check'), 32);
  const all = [...fields, [8, join(Uint8Array.of(1), check)] as const];
  const clear = join(
    ascii('SE'),
    Uint8Array.of(2, 1, layout),
    objectId,
    ...all.map(([tag, value]) => join(Uint8Array.of(tag), be(value.length, 2), value)),
  );
  const mac = hmac(hkdf(halves.gateway, objectId, ascii('sealgate object v2 envelope'), 32), clear);
  return { dek, text: `sg1.${Buffer.from(join(clear, mac)).toString('base64url')}` };
}

export function naiveUploadToken(t: {
  key: Uint8Array;
  epoch: number;
  nonce: Uint8Array;
  bucket: string;
  objectKey: string;
  objectId: Uint8Array;
  createdMs: number;
  backendUploadId: string;
  wrap: Uint8Array;
  checksum: Uint8Array;
  context: Uint8Array;
  /** Version 2: how it is shown, and the field of a customer's key. */
  more?: readonly [shown: Uint8Array, customer: Uint8Array];
}): string {
  const header = join(ascii('SU'), Uint8Array.of(t.more === undefined ? 1 : 2, 1), be(t.epoch, 4));
  const block = (bytes: Uint8Array) => join(be(bytes.length, 2), bytes);
  const long = (text: string) => join(be(utf8(text).length, 4), utf8(text));
  const plain = join(
    t.objectId,
    be(t.createdMs, 8),
    ...[utf8(t.backendUploadId), t.wrap, t.checksum, t.context, ...(t.more ?? [])].map(block),
  );
  const sealed = xaesSeal(t.key, t.nonce, plain, join(header, long(t.bucket), long(t.objectKey)));
  return Buffer.from(join(header, t.nonce, sealed)).toString('base64url');
}
