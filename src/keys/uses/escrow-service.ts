/** Escrow of wrapped DEKs: a second copy of what a database keeps in its own schema. */
import { equalBytes } from '../../crypto/bytes.ts';
import { decodeContext, encodeContext } from '../../envelope/encryption-context.ts';
import type { AuditLog } from '../audit/log.ts';
import { bytesToUuid } from '../arn.ts';
import type { EscrowRecord, KeyUse } from './data-keys.ts';
import { KeysError } from '../errors.ts';
import type { KeyPorts } from '../options.ts';
import { bytes, text } from '../stores/columns.ts';
import type { KeyDatabase } from '../stores/key-database.ts';
import type { Row } from '../stores/row-mac.ts';
import type { UseRecorder } from './use-recorder.ts';

const DEK_ID_BYTES = 16;
const MAX_OWNER_CHARS = 512;
/** Larger than any wrapped key (4096 bytes and its envelope). */
const MAX_WRAPPED_BYTES = 6144;

export class EscrowService {
  readonly #database: KeyDatabase;
  readonly #log: AuditLog;
  readonly #recorder: UseRecorder;
  readonly #ports: KeyPorts;

  constructor(database: KeyDatabase, log: AuditLog, recorder: UseRecorder, ports: KeyPorts) {
    this.#database = database;
    this.#log = log;
    this.#recorder = recorder;
    this.#ports = ports;
  }

  escrow(record: EscrowRecord, use: KeyUse): Promise<void> {
    return this.#recorder.record('EscrowDataKey', use, record.context, (trace) => {
      checkRecord(record);
      trace.detail = { dekId: bytesToUuid(record.dekId), owner: record.owner };
      this.#recorder.authorize(trace, 'EscrowDataKey', use, record.context);
      this.#put(record);
    });
  }

  escrowed(owner: string): readonly EscrowRecord[] {
    return this.#database.escrowOf(owner).map(parseEscrowRow);
  }

  /** One record by its id, whoever owns it: for opening a value offline. */
  escrowedKey(dekId: Uint8Array): EscrowRecord | undefined {
    const row = this.#database.row('escrow', new Uint8Array(dekId));
    return row === undefined ? undefined : parseEscrowRow(row);
  }

  #put(record: EscrowRecord): void {
    const held = this.#database.row('escrow', new Uint8Array(record.dekId));
    if (held !== undefined) {
      if (sameRecord(parseEscrowRow(held), record)) return;
      throw new KeysError(
        'ERR_KEYS_ESCROW_CONFLICT',
        `another record is held for data key ${bytesToUuid(record.dekId)}`,
      );
    }
    const row: Row = {
      dek_id: new Uint8Array(record.dekId),
      owner: record.owner,
      wrapped: new Uint8Array(record.wrapped),
      context: new Uint8Array(encodeContext(record.context)),
      created_at: new Date(this.#ports.now()).toISOString(),
    };
    this.#database.commit([{ type: 'put', table: 'escrow', row }], this.#log.syncedHead);
  }
}

function checkRecord(record: EscrowRecord): void {
  const { dekId, owner, wrapped } = record;
  const fits = dekId.length === DEK_ID_BYTES && owner.length <= MAX_OWNER_CHARS && wrapped.length <= MAX_WRAPPED_BYTES;
  if (!fits)
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      'an escrow record has an id of 16 bytes, an owner and a wrapped key within their limits',
    );
}

function parseEscrowRow(row: Row): EscrowRecord {
  return {
    dekId: bytes(row, 'dek_id'),
    owner: text(row, 'owner'),
    wrapped: bytes(row, 'wrapped'),
    context: decodeContext(bytes(row, 'context')),
  };
}

function sameRecord(a: EscrowRecord, b: EscrowRecord): boolean {
  return (
    a.owner === b.owner &&
    equalBytes(a.wrapped, b.wrapped) &&
    equalBytes(encodeContext(a.context), encodeContext(b.context))
  );
}
