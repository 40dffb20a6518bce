/**
 * When each key was last used for what: kept in memory, since using a key never writes to the key store. What was before this
 * process is in the audit log; `since` says from when on it is known here.
 */
export type LastUse = { readonly operation: string; readonly at: string; readonly requestId: string | undefined };

/** Uses that count, as AWS names them. */
const OPERATIONS: Readonly<Record<string, string>> = {
  Encrypt: 'Encrypt',
  Decrypt: 'Decrypt',
  GenerateDataKey: 'GenerateDataKey',
  GenerateDataKeyWithoutPlaintext: 'GenerateDataKeyWithoutPlaintext',
  GenerateMac: 'GenerateMac',
  VerifyMac: 'VerifyMac',
  Decapsulate: 'Decapsulate',
  DeriveSharedSecret: 'DeriveSharedSecret',
  Encapsulate: 'Encapsulate',
  GenerateDataKeyPair: 'GenerateDataKeyPair',
  GenerateDataKeyPairWithoutPlaintext: 'GenerateDataKeyPairWithoutPlaintext',
  Sign: 'Sign',
  Verify: 'Verify',
  ReEncryptFrom: 'ReEncrypt',
  ReEncryptTo: 'ReEncrypt',
};

const DAY_MS = 24 * 60 * 60 * 1000;

export class LastUses {
  readonly since: string;
  readonly #uses = new Map<string, { operation: string; atMs: number; requestId: string | undefined }>();

  constructor(nowMs: number) {
    this.since = new Date(nowMs).toISOString();
  }

  /** A use that succeeded; actions that are no use of the key itself are passed over. */
  note(keyId: string, action: string, nowMs: number, requestId: string | undefined): void {
    const operation = OPERATIONS[action];
    if (operation !== undefined) this.#uses.set(keyId, { operation, atMs: nowMs, requestId });
  }

  of(keyId: string): LastUse | undefined {
    const use = this.#uses.get(keyId);
    if (use === undefined) return undefined;
    return { operation: use.operation, at: new Date(use.atMs).toISOString(), requestId: use.requestId };
  }

  /** Whole days since it was last used; where that is not known, since it was made or, if that is later, since uses are noted. */
  daysWithoutUse(keyId: string, createdAt: string, nowMs: number): number {
    const from = this.#uses.get(keyId)?.atMs ?? Math.max(Date.parse(createdAt), Date.parse(this.since));
    return Math.max(0, Math.floor((nowMs - from) / DAY_MS));
  }

  forget(keyId: string): void {
    this.#uses.delete(keyId);
  }
}
