/**
 * An independent, naive reader of key stores, written from docs/KEYSTORE.md over naive-crypto.ts: the oracle that tells whether code and
 * document say the same. Everything at once, no code of src/. Whatever is wrong is thrown.
 */
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { argon2id } from 'hash-wasm';
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ascii, be, counterKdf, gcmOpen, hex, hkdf, hmac, join, sha256, unhex } from '../naive-crypto.ts';
import { naiveContext } from '../naive-envelope.ts';

type Row = Readonly<Record<string, unknown>>;
type Fields = readonly (Uint8Array | string | number)[];
type SlotRow = { slotId: string; type: string; label: string; params: string; wrapped: Uint8Array };
type Purpose = readonly ['root' | 'backup', Uint8Array];
/** A key file's bytes, or a passphrase. */
export type NaiveSecret = { readonly keyFile: Uint8Array } | { readonly passphrase: string };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function F(label: string, ...fields: Fields): Uint8Array {
  const bytes = [label, ...fields].map((field) =>
    typeof field === 'string' ? utf8(field) : typeof field === 'number' ? be(field, 8) : field,
  );
  return join(be(bytes.length, 4), ...bytes.map((field) => join(be(field.length, 4), field)));
}

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`naive key store: ${what}`);
}

const same = (a: Uint8Array, b: Uint8Array): boolean => hex(a) === hex(b);
const uuid = (text: string): Uint8Array => unhex(text.replaceAll('-', ''));
const openBox = (key: Uint8Array, aad: Uint8Array, box: Uint8Array): Uint8Array =>
  gcmOpen(key, box.slice(0, 12), box.slice(12), aad);

// The store's own columns, of the types that the document names.
const text = (row: Row, column: string): string => row[column] as string;
const blob = (row: Row, column: string): Uint8Array => Uint8Array.from(row[column] as Uint8Array);
const integer = (row: Row, column: string): number => row[column] as number;

export function naiveKeyFile(file: Uint8Array): { fileId: Uint8Array; secret: Uint8Array } {
  must(file.length === 64 && same(file.slice(0, 8), join(ascii('SGKF'), Uint8Array.of(1, 0, 0, 0))), 'no key file');
  must(same(file.slice(56), sha256(file.slice(0, 56)).slice(0, 8)), 'a damaged key file');
  return { fileId: file.slice(8, 24), secret: file.slice(24, 56) };
}

async function slotInput(slot: SlotRow, secret: NaiveSecret): Promise<Uint8Array | undefined> {
  const params = JSON.parse(slot.params) as Record<string, string & number>;
  if ('keyFile' in secret) {
    const { fileId, secret: input } = naiveKeyFile(secret.keyFile);
    if (slot.type !== 'key-file') return undefined;
    return same(uuid(params['fileId'] ?? ''), fileId) ? input : undefined;
  }
  if (slot.type !== 'passphrase') return undefined;
  must(params['kdf'] === 'argon2id', 'an unknown KDF');
  return argon2id({
    password: secret.passphrase,
    salt: unhex(params['salt'] ?? ''),
    memorySize: params['memoryKiB'] ?? 0,
    iterations: params['passes'] ?? 0,
    parallelism: params['parallelism'] ?? 0,
    hashLength: 32,
    outputType: 'binary',
  });
}

async function openSlots(slots: readonly SlotRow[], secret: NaiveSecret, [purpose, id]: Purpose): Promise<Uint8Array> {
  for (const slot of slots) {
    const input = await slotInput(slot, secret);
    if (input === undefined) continue;
    const derived = hkdf(input, uuid(slot.slotId), F('sealgate slot v1', purpose, id), 64);
    if (!same(derived.slice(32), slot.wrapped.slice(0, 32))) continue;
    must(slot.wrapped.length === 92, 'a slot of another length');
    const aad = F('sealgate slot aad v1', purpose, id, slot.slotId, slot.type, slot.label, slot.params);
    return openBox(derived.slice(0, 32), aad, slot.wrapped.slice(32));
  }
  throw new Error('naive key store: no slot opens');
}

export type NaiveStore = {
  readonly storeId: Uint8Array;
  readonly epoch: number;
  readonly auditHead: { readonly seq: number; readonly hash: Uint8Array; readonly offset: number };
  readonly key: (name: string) => Uint8Array;
  readonly service: (purpose: string, epoch: number) => Uint8Array;
  readonly rows: Readonly<Record<string, readonly Row[]>>;
  /** Material by id in hex. */
  readonly materials: ReadonlyMap<string, Uint8Array>;
};

const TABLES = ['slots', 'keys', 'materials', 'aliases', 'escrow', 'service_epochs'];
const TABLES_OF_VERSION_3 = [...TABLES, 'grant_buckets'];

/** Opens a store's file, all of it authenticated and every canary tried; with a secret, or with the root that a backup holds. */
export async function naiveStore(path: string, opensWith: NaiveSecret | { root: Uint8Array }): Promise<NaiveStore> {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const all = (sql: string): readonly Row[] => database.prepare(sql).all();
    const version = integer(all('PRAGMA user_version')[0] ?? {}, 'user_version');
    must(
      all('PRAGMA application_id')[0]?.['application_id'] === 0x5347_4b53 &&
        [1, 2, 3, 4, 5, 6, 7, 8, 9].includes(version),
      'another database',
    );
    const store = all('SELECT * FROM store')[0] ?? {};
    const storeId = blob(store, 'store_id');
    const tables = version < 3 ? TABLES : TABLES_OF_VERSION_3;
    const rows = Object.fromEntries(tables.map((table) => [table, all(`SELECT * FROM ${table}`)]));
    const grants = version < 3 ? [] : all('SELECT * FROM grants');
    const slots = (rows['slots'] ?? []).map(slotOf);
    const root = 'root' in opensWith ? opensWith.root : await openSlots(slots, opensWith, ['root', storeId]);
    const key = (name: string): Uint8Array => hkdf(root, storeId, F(`sealgate ${name} v1`), 32);
    const service = (purpose: string, epoch: number): Uint8Array =>
      epoch === 1
        ? hkdf(root, storeId, F('sealgate service v1', purpose, epoch), 32)
        : ownedService(purpose, epoch - 1, { storeId, rows, materials });
    checkSeal(store, rows, version, key);
    checkGrants(grants, rows['grant_buckets'] ?? [], key);
    const keyOf = (material: Row): Row =>
      (rows['keys'] ?? []).find((row) => text(row, 'key_id') === text(material, 'key_id')) ?? {};
    const materials = new Map(
      (rows['materials'] ?? [])
        .filter((row) => !isEmpty(row, keyOf(row)))
        .map((row) => [hex(materialIdOf(row)), openMaterial(row, keyOf(row), storeId, key)]),
    );
    const [seq, hash, offset] = [
      integer(store, 'audit_seq'),
      blob(store, 'audit_hash'),
      integer(store, 'audit_offset'),
    ];
    return {
      storeId,
      epoch: integer(store, 'epoch'),
      auditHead: { seq, hash, offset },
      key,
      service,
      rows: { ...rows, grants },
      materials,
    };
  } finally {
    database.close();
  }
}

/** The 16 bytes of a key's id, whichever region its row is of. */
function keyBytes(rowName: string): Uint8Array {
  const [keyId = ''] = rowName.split('@');
  return unhex(keyId.replace(/^mrk-/, '').replaceAll('-', ''));
}

/** The same in every region; the row says which. */
function materialIdOf(row: Row): Uint8Array {
  const [id, region] = [blob(row, 'material_id'), text(row, 'key_id').split('@')[1]];
  const rest = region === undefined ? '' : `@${region}`;
  must(same(id.slice(32), ascii(rest)), 'a material of another region than its key');
  return id.slice(0, 32);
}

/** What the version of an owned key's material gives. */
function ownedService(
  purpose: string,
  version: number,
  { storeId, rows, materials }: Pick<NaiveStore, 'storeId' | 'rows' | 'materials'>,
): Uint8Array {
  const owned = rows['keys']?.find((row) => row['manager'] === 'owned' && row['manages_for'] === purpose) ?? {};
  const row = rows['materials']?.find((each) => each['key_id'] === owned['key_id'] && each['version'] === version);
  const material = materials.get(hex(materialIdOf(row ?? {})));
  if (material === undefined) throw new Error('naive key store: no such epoch');
  return hkdf(material, storeId, F('sealgate owned service v1', purpose, version), 32);
}

/** Destroyed, or imported and gone: by both columns or none. */
function isEmpty(row: Row, owner: Row): boolean {
  const [wrapped, canary] = [blob(row, 'wrapped'), blob(row, 'canary')];
  const mayBe = text(row, 'state') === 'destroyed' || text(owner, 'origin') === 'EXTERNAL';
  must((wrapped.length === 0) === (canary.length === 0) && (mayBe || wrapped.length > 0), 'a material without bytes');
  return wrapped.length === 0;
}

function slotOf(row: Row): SlotRow {
  const [type, label, params] = [text(row, 'type'), text(row, 'label'), text(row, 'params')];
  return { slotId: text(row, 'slot_id'), type, label, params, wrapped: blob(row, 'wrapped') };
}

function checkSeal(store: Row, rows: NaiveStore['rows'], version: number, key: NaiveStore['key']): void {
  let sum = 0n;
  let count = 0;
  for (const [table, all] of Object.entries(rows)) {
    for (const row of all) {
      const mac = checkRow(table, row, key);
      sum = (sum + BigInt(`0x${hex(hmac(key('set'), mac))}`)) % 2n ** 256n;
      count += 1;
    }
  }
  const seal = hmac(
    key('record'),
    F(
      'sealgate store v1',
      version,
      blob(store, 'store_id'),
      text(store, 'created_at'),
      integer(store, 'epoch'),
      integer(store, 'audit_seq'),
      blob(store, 'audit_hash'),
      integer(store, 'audit_offset'),
      count,
      unhex(sum.toString(16).padStart(64, '0')),
    ),
  );
  must(same(seal, blob(store, 'seal')), 'the seal does not hold');
}

/** Gives the row's MAC. */
function checkRow(table: string, row: Row, key: NaiveStore['key']): Uint8Array {
  const fields: (Uint8Array | string | number)[] = [table];
  for (const column of Object.keys(row).sort()) {
    const value = row[column];
    if (column === 'mac' || value === null) continue;
    if (typeof value === 'string') fields.push(column, 'text', value);
    else if (typeof value === 'number') fields.push(column, 'integer', value);
    else fields.push(column, 'blob', blob(row, column));
  }
  const mac = hmac(key('record'), F('sealgate row v1', ...fields));
  must(same(mac, blob(row, 'mac')), `a row of ${table} is not genuine`);
  return mac;
}

/** Every grant in its bucket, and every bucket as its record says. */
function checkGrants(grants: readonly Row[], buckets: readonly Row[], key: NaiveStore['key']): void {
  const sorted = [...grants].sort((a, b) => (hex(blob(a, 'grant_id')) < hex(blob(b, 'grant_id')) ? -1 : 1));
  const found = new Map<string, Uint8Array[]>();
  for (const row of sorted) {
    const hash = sha256(F('sealgate grant bucket v1', text(row, 'key_id'), text(row, 'grantee')));
    const bucket = (parseInt(hex(hash).slice(0, 4), 16) >> 2).toString(16).padStart(4, '0');
    must(text(row, 'bucket') === bucket, 'a grant lies in another bucket');
    found.set(bucket, [...(found.get(bucket) ?? []), checkRow('grants', row, key)]);
  }
  must(found.size === buckets.length, 'a bucket has no record, or a record no grants');
  for (const record of buckets) {
    const macs = found.get(text(record, 'bucket')) ?? [];
    const whole =
      integer(record, 'grants') === macs.length && same(blob(record, 'digest'), sha256(Buffer.concat(macs)));
    must(whole, 'a bucket is not what its record says');
  }
}

/** What a MAC key's specification stands for: its hash, and the bytes of its material. */
const MACS: Readonly<Record<string, readonly [hash: string, bytes: number]>> = {
  HMAC_224: ['sha224', 28],
  HMAC_256: ['sha256', 32],
  HMAC_384: ['sha384', 48],
  HMAC_512: ['sha512', 64],
};

/** Specifications of key pairs. */
const PAIRS =
  /^(?:RSA_(?:2048|3072|4096)|ECC_NIST_(?:P256|P384|P521|EDWARDS25519)|ECC_SECG_P256K1|ML_DSA_(?:44|65|87)|ML_KEM_(?:512|768|1024))$/;

function openMaterial(row: Row, owner: Row, storeId: Uint8Array, key: NaiveStore['key']): Uint8Array {
  const [keyUuid, materialId] = [keyBytes(text(row, 'key_id')), materialIdOf(row)];
  const aad = F(
    'sealgate material v1',
    storeId,
    keyUuid,
    materialId,
    integer(row, 'version'),
    text(owner, 'spec'),
    text(owner, 'usage'),
    text(owner, 'origin'),
  );
  const material = openBox(key('material'), aad, blob(row, 'wrapped'));
  must(same(hmac(material, F('sealgate material id v1', keyUuid)), materialId), 'a material is not the one named');
  if (PAIRS.test(text(owner, 'spec'))) {
    const privateKey = createPrivateKey({ key: Buffer.from(material), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    must(same(spki, blob(row, 'canary')), 'a canary is not the public key that it should be');
    return material;
  }
  const mac = MACS[text(owner, 'spec')];
  if (mac !== undefined) {
    const [hash, bytes] = mac;
    must(material.length === bytes, 'a material of another length');
    const computed = createHmac(hash, material)
      .update(join(ascii('sealgate canary '), materialId))
      .digest();
    must(same(computed, blob(row, 'canary')), 'a canary is not the MAC that it should be');
    return material;
  }
  const canary = naiveUnwrap(blob(row, 'canary'), material, materialId, { 'sealgate:purpose': 'canary' });
  must(same(canary, join(ascii('sealgate canary '), materialId)), 'a canary does not open');
  return material;
}

/** A wrapped key of docs/FORMAT.md, opened. */
export function naiveUnwrap(
  blobBytes: Uint8Array,
  material: Uint8Array,
  materialId: Uint8Array,
  context: Readonly<Record<string, string>>,
): Uint8Array {
  const header = blobBytes.slice(0, 89);
  const flags = header.slice(4, 5);
  must(same(header.slice(0, 4), join(ascii('SW'), Uint8Array.of(1, 1))) && (flags[0] ?? 2) < 2, 'no wrapped key');
  must(same(header.slice(21, 29), materialId.slice(0, 8)), 'another material');
  const [keyUuid, salt, iv] = [header.slice(5, 21), header.slice(29, 45), header.slice(45, 57)];
  const derived = counterKdf(
    material,
    'sealgate wrapped key v1',
    join(Uint8Array.of(1), keyUuid, materialId, salt),
    64,
  );
  must(same(derived.slice(32), header.slice(57)), 'the commitment does not hold');
  return gcmOpen(derived.slice(0, 32), iv, blobBytes.slice(89), join(header, naiveContext(context)));
}

/** Opens a wrapped DEK with whichever material of the store it names. */
export function naiveDek(
  store: NaiveStore,
  wrapped: Uint8Array,
  context: Readonly<Record<string, string>>,
): Uint8Array {
  const found = [...store.materials].find(([id]) => id.startsWith(hex(wrapped.slice(21, 29))));
  if (found === undefined) throw new Error('naive key store: no such material');
  return naiveUnwrap(wrapped, found[1], unhex(found[0]), context);
}

/** The private half of the wrapping key that an import token holds, PKCS #8, and what stands in its header. */
export function naiveImportToken(
  store: NaiveStore,
  token: Uint8Array,
  keyId: string,
): {
  readonly algorithm: number;
  readonly wrappingKey: number;
  readonly validTo: number;
  readonly privateKey: Uint8Array;
} {
  const header = token.slice(0, 24);
  must(same(header.slice(0, 5), join(ascii('SGIT'), Uint8Array.of(1))) && header[7] === 0, 'no import token');
  const number = (at: number): number => Number(BigInt(`0x${hex(header.slice(at, at + 8))}`));
  const aad = F('sealgate import token v1', header, uuid(keyId));
  const privateKey = openBox(store.service('import-token', number(8)), aad, token.slice(24));
  return { algorithm: header[5] ?? 0, wrappingKey: header[6] ?? 0, validTo: number(16), privateKey };
}

export function naiveEpoch(file: Uint8Array, store: NaiveStore): number {
  must(file.length === 64 && same(file.slice(0, 8), join(ascii('SGEP'), Uint8Array.of(1, 0, 0, 0))), 'no epoch file');
  must(same(file.slice(8, 24), store.storeId), 'the epoch file of another store');
  must(same(file.slice(32), hmac(store.key('epoch'), file.slice(0, 32))), 'the epoch file is not genuine');
  return Number(BigInt(`0x${hex(file.slice(24, 32))}`));
}

/** Every record, chain and MACs checked. */
export function naiveAudit(log: Uint8Array, store: NaiveStore): readonly Record<string, unknown>[] {
  let previous: Uint8Array = new Uint8Array(32);
  const lines = Buffer.from(log).toString('utf8').split('\n');
  must(lines.pop() === '', 'the log does not end in a line end');
  return lines.map((line, index) => {
    const bytes = utf8(line);
    const covered = bytes.slice(0, -53);
    const suffix = Buffer.from(bytes.slice(-53)).toString('latin1');
    const mac = Buffer.from(hmac(store.key('audit'), covered)).toString('base64url');
    must(suffix === `,"mac":"${mac}"}`, `record ${index + 1} is not genuine`);
    const record = JSON.parse(line) as Record<string, unknown>;
    must(record['seq'] === index + 1 && record['prevHash'] === hex(previous), `record ${index + 1} breaks the chain`);
    if (record['action'] === 'AuditCheckpoint') naiveCheckpoint(record, store, previous);
    previous = sha256(bytes);
    return record;
  });
}

function naiveCheckpoint(record: Record<string, unknown>, store: NaiveStore, previous: Uint8Array): void {
  const detail = record['detail'] as { store: string; publicKey: string; signature: string };
  const seed = store.key('audit-checkpoint');
  const encoded = join(unhex('302e020100300506032b657004220420'), seed);
  const key = createPrivateKey({ key: Buffer.from(encoded), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  must(hex(Buffer.from(x, 'base64url')) === detail.publicKey, 'a checkpoint names another key');
  const signed = F('sealgate audit checkpoint v1', store.storeId, Number(record['seq']), previous);
  const signature = sign(null, signed, key).toString('base64url');
  must(detail.store === hex(store.storeId) && detail.signature === signature, 'a checkpoint is not genuine');
}

export function naiveHead(file: Uint8Array, store: NaiveStore): { seq: number; offset: number; hash: Uint8Array } {
  const heads = [file.slice(0, 104), file.slice(512, 616)].filter(
    (place) => place.length === 104 && same(place.slice(72), hmac(store.key('audit'), place.slice(0, 72))),
  );
  const parsed = heads.map((place) => {
    must(same(place.slice(0, 8), join(ascii('SGAH'), Uint8Array.of(1, 0, 0, 0))), 'no head');
    must(same(place.slice(8, 24), store.storeId), 'the head of another store');
    const number = (from: number): number => Number(BigInt(`0x${hex(place.slice(from, from + 8))}`));
    return { seq: number(24), offset: number(32), hash: place.slice(40, 72) };
  });
  const [last] = parsed.sort((a, b) => b.seq - a.seq);
  if (last === undefined) throw new Error('naive key store: no genuine head');
  return last;
}

type JsonSlot = { slotId: string; type: string; label: string; params: string; wrapped: string };
type BackupHeader = {
  storeId: string;
  backupId: string;
  epoch: number;
  wrappedByRoot: string;
  rootSlots: readonly JsonSlot[];
  backupSlots: readonly JsonSlot[];
};

/** What a backup holds: the root, and the store's file. */
export async function naiveBackup(
  file: Uint8Array,
  secret: NaiveSecret,
  by: 'root' | 'backup',
): Promise<{ root: Uint8Array; database: Uint8Array; header: BackupHeader }> {
  must(same(file.slice(0, 8), join(ascii('SGBK'), Uint8Array.of(1, 0, 0, 0))), 'no backup');
  const end = 12 + Number(`0x${hex(file.slice(8, 12))}`);
  const header = JSON.parse(Buffer.from(file.slice(12, end)).toString('utf8')) as BackupHeader;
  const [storeId, backupId] = [unhex(header.storeId), unhex(header.backupId)];
  const slots = (json: readonly JsonSlot[]): SlotRow[] =>
    json.map((slot) => ({ ...slot, wrapped: Uint8Array.from(Buffer.from(slot.wrapped, 'base64')) }));
  const backupKey = async (): Promise<Uint8Array> => {
    if (by === 'backup') return openSlots(slots(header.backupSlots), secret, ['backup', backupId]);
    const root = await openSlots(slots(header.rootSlots), secret, ['root', storeId]);
    const wrapping = hkdf(root, storeId, F('sealgate backup v1'), 32);
    const aad = F('sealgate backup key v1', header.backupId, header.storeId);
    return openBox(wrapping, aad, Uint8Array.from(Buffer.from(header.wrappedByRoot, 'base64')));
  };
  const payloadKey = hkdf(await backupKey(), backupId, ascii('sealgate backup payload v1'), 32);
  const payload = openBox(payloadKey, file.slice(0, end), file.slice(end));
  return { root: payload.slice(0, 32), database: payload.slice(32), header };
}

export const naiveRead = (path: string): Uint8Array => Uint8Array.from(readFileSync(path));
