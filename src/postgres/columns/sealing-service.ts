/** The ColumnService: keys for a statement's columns, then values sealed and opened without waiting. */
import type { Dek } from '../../crypto/key-types.ts';
import { openFailed } from '../../envelope/errors.ts';
import { DEK_ID_BYTES, openValue, parseSealedValue, sealValue } from '../../envelope/sealed-value.ts';
import type { DecryptRequest, DecryptUse, KeyUse } from '../../keys/uses/data-keys.ts';
import { SealgateError } from '../../errors.ts';
import { PostgresError } from '../errors.ts';
import { MAX_SEALED_VALUE_BYTES } from '../limits.ts';
import type { LogicalType, SealedColumn, ValuePurpose } from '../plan.ts';
import type { ServerTimeZones } from '../service/time-zones.ts';
import { encodeBinaryArray } from '../types/array/binary.ts';
import { listOf } from '../types/array/shape.ts';
import type { ValueContext, ValueFormat, ValueSettings } from '../types/codec.ts';
import { dateStyleOf } from '../types/datetime/date-style.ts';
import { usesTimeZone } from '../types/registry.ts';
import { printValue, readList, readValue } from '../types/values.ts';
import type { ColumnService, ColumnSession, ColumnUse, SealOptions, ValueShape } from './column-service.ts';
import { ColumnError } from './errors.ts';
import { CallerUses } from './caller-uses.ts';
import { openPreserved, sealPreserved } from './preserved-value.ts';
import { storedType } from './stored-type.ts';
import { enforceChecks } from './enforce-checks.ts';
import { DekTable, type DekOwner, type DekTableOptions, type StoredDek } from './dek-table.ts';

export type SealingOptions = DekTableOptions & {
  readonly zones: ServerTimeZones;
  /** A role's principal, as an ARN. */
  readonly principalOf: (role: string) => string;
};

export function createColumnService(options: SealingOptions): ColumnService {
  const deks = new DekTable(options);
  const parts: SessionParts = { ...options, deks, callerUses: new CallerUses() };
  return {
    principalOf: options.principalOf,
    open: (columns, use) => {
      const session = new SealingSession(parts, use);
      const waiting = session.prepareNow(columns);
      return waiting.length === 0 ? session : session.prepare(waiting).then(() => session);
    },
  };
}

type OpenDek = { readonly stored: StoredDek; readonly id: Uint8Array; readonly dek: Dek };

/** What the sessions of a database have in common. */
type SessionParts = SealingOptions & { readonly deks: DekTable; readonly callerUses: CallerUses };

class SealingSession implements ColumnSession {
  readonly #options: SessionParts;
  readonly #deks: DekTable;
  readonly #use: ColumnUse;
  /** Opened for this statement's caller. A statement has few, and a list of few is searched faster than a map is made. */
  readonly #open: OpenDek[] = [];
  /** Those new values are sealed with, one of each owner. */
  readonly #current: OpenDek[] = [];

  constructor(options: SessionParts, use: ColumnUse) {
    this.#options = options;
    this.#deks = options.deks;
    this.#use = use;
  }

  /** Those that have to wait, for which nothing was used or recorded. Throws where the uses could not be recorded. */
  prepareNow(columns: readonly SealedColumn[]): readonly SealedColumn[] {
    const waiting: SealedColumn[] = [];
    const asked: (DecryptUse & { readonly column: SealedColumn; readonly stored: StoredDek })[] = [];
    for (const column of columns) {
      const stored = this.#deks.currentNow(ownerOf(column));
      if (stored === undefined || this.#needsZone(column)) waiting.push(column);
      else asked.push({ column, stored, request: requestFor(stored, column.keyId), use: this.#keyUse(column) });
    }
    const keys = this.#options.keys.decryptEachNow(asked);
    for (const [index, { column, stored }] of asked.entries()) {
      const key = keys[index];
      if (key === undefined) waiting.push(column);
      else this.#current.push(this.#opened(stored, key.dek));
    }
    return waiting;
  }

  #needsZone({ type }: SealedColumn): boolean {
    const { settings } = this.#use;
    if (settings === undefined || !(usesTimeZone(type) || type.name === 'timestamp')) return false;
    return !this.#options.zones.knows(settings.timeZone, printsZones(settings));
  }

  /** Each column's use is authorised and audited, also where two share a DEK. */
  async prepare(columns: readonly SealedColumn[]): Promise<void> {
    const { settings } = this.#use;
    const zoned = settings !== undefined && columns.some((column) => this.#needsZone(column));
    await Promise.all([
      zoned ? this.#options.zones.load(settings.timeZone, printsZones(settings)).catch(() => undefined) : undefined,
      ...columns.map(async (column) => {
        const stored = await this.#deks.current(ownerOf(column), column.keyId, this.#keyUse(column));
        await this.#openCurrent(column, stored);
      }),
    ]);
  }

  /**
   * Seals only under the KMS key that the rule names: rows of schema sealgate alone could point a column at another's DEK. After
   * a change of key a randomized column gets a new DEK; a deterministic one is read on, and written again once it is resealed.
   */
  async #openCurrent(column: SealedColumn, stored: StoredDek): Promise<void> {
    const owner = ownerOf(column);
    try {
      this.#current.push(await this.#unwrap(column, stored, column.keyId));
    } catch (error) {
      if (!(error instanceof SealgateError) || error.code !== 'ERR_KEYS_INCORRECT_KEY') throw error;
      if (column.mode === 'deterministic') return;
      const renewed = await this.#deks.renew(owner, column.keyId, this.#keyUse(column), stored);
      this.#current.push(await this.#unwrap(column, renewed, column.keyId));
    }
  }

  seal(
    column: SealedColumn,
    value: Uint8Array,
    format: ValueFormat,
    settings: ValueSettings,
    shape: ValueShape,
    options: SealOptions = {},
  ): Uint8Array {
    const context = this.#context(column, settings, options.purpose ?? 'store');
    if (shape === 'scalar') {
      const canonical = readValue(value, format, context, options);
      return this.#sealChecked(column, canonical, context);
    }
    const elements = readList(value, format, context, options.declaredOid).map((element) =>
      element === undefined ? undefined : this.#sealChecked(column, element, context),
    );
    return encodeBinaryArray({ elementOid: storedType(column).oid, ...listOf(elements) });
  }

  sealLiteral(column: SealedColumn, text: string, settings: ValueSettings, options: SealOptions = {}): Uint8Array {
    return this.seal(column, Buffer.from(text), 'text', settings, 'scalar', options);
  }

  unseal(column: SealedColumn, sealed: Uint8Array, format: ValueFormat, settings: ValueSettings): Uint8Array {
    if (column.format !== undefined) {
      const text = openPreserved(this.#preserving(column), column, sealed);
      return printValue(text, format, this.#context(column, settings, 'store'));
    }
    const { dek, stored } = this.#dekOf(sealed);
    // A value from another column: the same answer as a tag that fails.
    if (stored.owner !== ownerOf(column).id) throw openFailed();
    const canonical = openValue({ dek, aad: aadOf(column), sealed });
    return printValue(canonical, format, this.#context(column, settings, 'store'));
  }

  has(column: SealedColumn, sealed: Uint8Array): boolean {
    if (column.format === undefined) return this.#named(sealed) !== undefined;
    return this.#open.some(({ stored }) => isGenerationOf(stored, column));
  }

  async fetch(column: SealedColumn, sealed: Uint8Array): Promise<void> {
    if (column.format !== undefined) {
      const stored = await this.#deks.current(ownerOf(column), column.keyId, this.#keyUse(column));
      await this.#unwrap(column, stored);
      return;
    }
    const dekId = Buffer.from(parseSealedValue(sealed).dekId).toString('hex');
    const stored = await this.#deks.byId(dekId, this.#keyUse(column));
    // Never ask for another column's key in this column's name.
    if (stored.owner !== ownerOf(column).id) throw openFailed();
    await this.#unwrap(column, stored);
  }

  /** @param keyId the key that must have wrapped it. */
  async #unwrap(column: SealedColumn, stored: StoredDek, keyId?: string): Promise<OpenDek> {
    const { dek } = await this.#options.keys.decrypt(requestFor(stored, keyId), this.#keyUse(column));
    return this.#opened(stored, dek);
  }

  #opened(stored: StoredDek, dek: Dek): OpenDek {
    const open = { stored, id: dekFactsOf(stored).id, dek };
    this.#open.push(open);
    return open;
  }

  #sealChecked(column: SealedColumn, canonical: Uint8Array, { purpose }: ValueContext): Uint8Array {
    if (purpose === 'store' || purpose === 'both') enforceChecks(column, canonical);
    return this.#sealCanonical(column, canonical);
  }

  #sealCanonical(column: SealedColumn, plaintext: Uint8Array): Uint8Array {
    if (plaintext.length > MAX_SEALED_VALUE_BYTES) {
      const message = `a value for a sealed column may have at most ${MAX_SEALED_VALUE_BYTES} bytes (maxSealedValueBytes)`;
      throw new PostgresError('ERR_POSTGRES_TOO_LARGE', message, { sqlstate: '54000' });
    }
    const owner = ownerOf(column).id;
    const current = this.#current.find(({ stored }) =>
      column.format === undefined ? stored.owner === owner : isGenerationOf(stored, column),
    );
    if (current === undefined) {
      const message = `the rule of ${column.schema}.${column.table}.${column.column} names another KMS key than its values are sealed under`;
      throw new ColumnError('ERR_POSTGRES_COLUMN_RULE_CHANGED', message);
    }
    const { dek, id: dekId } = current;
    if (column.format !== undefined) return sealPreserved(dek, column, plaintext);
    return sealValue({ dek, dekId, aad: aadOf(column), plaintext, mode: column.mode }, this.#options.random);
  }

  #preserving(column: SealedColumn): Dek {
    const open = this.#open.find(({ stored }) => isGenerationOf(stored, column));
    if (open === undefined) throw new TypeError('a value is opened whose key was not fetched');
    return open.dek;
  }

  #dekOf(sealed: Uint8Array): OpenDek {
    const open = this.#named(sealed);
    if (open === undefined) throw new TypeError('a value is opened whose key was not fetched');
    return open;
  }

  #named(sealed: Uint8Array): OpenDek | undefined {
    const { dekId } = parseSealedValue(sealed);
    return this.#open.find(({ id }) => isSameId(id, dekId));
  }

  /** Without its modifier a column is no longer assigned to (nothing is rounded or cut), but stores and prints as its rule says. */
  #context(column: SealedColumn, settings: ValueSettings, purpose: ValuePurpose): ValueContext {
    const type: LogicalType = column.storedType ?? column.type;
    const assigned = column.type.typmod === type.typmod;
    return {
      type,
      purpose: assigned || purpose === 'choose' ? purpose : 'compare',
      settings,
      zones: this.#options.zones,
    };
  }

  #keyUse(column: SealedColumn): KeyUse {
    return this.#options.callerUses.of(this.#use, factsOf(column).resource);
  }
}

/** Every DateStyle but ISO prints what a time zone is called. */
function printsZones(settings: ValueSettings): boolean {
  return dateStyleOf(settings).style !== 'iso';
}

/** What follows from a stored DEK alone: its id in bytes, and how it was last asked for. */
type DekFacts = { readonly id: Uint8Array; request: DecryptRequest };
const factsByDek = new WeakMap<StoredDek, DekFacts>();

function dekFactsOf(stored: StoredDek): DekFacts {
  const known = factsByDek.get(stored);
  if (known !== undefined) return known;
  const facts: DekFacts = { id: Buffer.from(stored.id, 'hex'), request: newRequest(stored, undefined) };
  factsByDek.set(stored, facts);
  return facts;
}

/** What follows from a column alone, found once: the DEK's owner, the AAD of its values, and its name in audit records. */
type ColumnFacts = { readonly owner: DekOwner; readonly aad: Uint8Array; readonly resource: string };
const factsByColumn = new WeakMap<SealedColumn, ColumnFacts>();

function factsOf(column: SealedColumn): ColumnFacts {
  const known = factsByColumn.get(column);
  if (known !== undefined) return known;
  const { id, domainId, database, schema, table, format } = column;
  const generation = format === undefined ? {} : { generation: format.generation };
  const facts: ColumnFacts = {
    owner: domainId === undefined ? { type: 'column', id, ...generation } : { type: 'domain', id: domainId },
    aad: Buffer.from(domainId ?? id, 'hex'),
    resource: `${database}.${schema}.${table}.${column.column}`,
  };
  factsByColumn.set(column, facts);
  return facts;
}

function isGenerationOf(stored: StoredDek, column: SealedColumn): boolean {
  return stored.owner === column.id && stored.generation === column.format?.generation;
}

function ownerOf(column: SealedColumn): DekOwner {
  return factsOf(column).owner;
}

function requestFor(stored: StoredDek, keyId: string | undefined): DecryptRequest {
  const facts = dekFactsOf(stored);
  if (facts.request.keyId !== keyId) facts.request = newRequest(stored, keyId);
  return facts.request;
}

function newRequest({ wrapped, context }: StoredDek, keyId: string | undefined): DecryptRequest {
  return { wrapped, context, ...(keyId !== undefined && { keyId }) };
}

function aadOf(column: SealedColumn): Uint8Array {
  return factsOf(column).aad;
}

function isSameId(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < DEK_ID_BYTES; at++) if (a[at] !== b[at]) return false;
  return true;
}
