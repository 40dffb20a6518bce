/** A log whose files are rotated after a few records, for tests. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { takeEd25519Seed } from '../../../src/crypto/ed25519.ts';
import type { AuditIdentity } from '../../../src/keys/audit/identity.ts';
import type { AuditLog } from '../../../src/keys/audit/log.ts';
import { openAuditLog } from '../../../src/keys/audit/open-log.ts';
import { EMPTY_HEAD, type AuditEntry, type AuditHead } from '../../../src/keys/audit/record.ts';
import type { Resumption } from '../../../src/keys/audit/resume.ts';
import { verifyAuditLog, type AuditReport } from '../../../src/keys/audit/verify.ts';
import type { AuditOptions } from '../../../src/keys/options.ts';

export const ROTATE_AT_BYTES = 1500;

export const entry = (resource = 'r'): AuditEntry => ({
  ...{ time: '2027-01-01T00:00:00.000Z', principal: 'p', action: 'Decrypt', key: null, material: null, via: 'cli' },
  ...{ resource, context: null, decision: 'allow', why: 'w', result: 'success' },
});

type Opened = { readonly log: AuditLog; readonly resumption: Resumption };
type Opening = {
  readonly acceptGap?: boolean;
  readonly storeHead?: AuditHead;
  readonly options?: Partial<AuditOptions>;
};

export class RotatedLog {
  readonly folder = mkdtempSync(join(tmpdir(), 'sealgate-rotated-'));
  readonly path = join(this.folder, 'audit.log');
  readonly identity: AuditIdentity = {
    storeId: randomBytes(16),
    key: createSecretKey(randomBytes(32)),
    signer: takeEd25519Seed(randomBytes(32)),
  };

  open({ acceptGap = false, storeHead = EMPTY_HEAD, options = {} }: Opening = {}): Opened {
    const { path, identity } = this;
    return openAuditLog({
      options: { path, durability: 'write', rotateAtBytes: ROTATE_AT_BYTES, ...options },
      ...{ identity, storeHead, acceptGap, now: Date.now },
    });
  }

  /** Writes so many records, one after another, and ends. */
  async write(records: number, opening?: Opening): Promise<void> {
    const { log } = this.open(opening);
    for (let n = 0; n < records; n++) await log.append(entry(String(n)));
    await log.close();
  }

  /** The files, by name: those rotated away in their order, then the log's own. */
  get files(): readonly string[] {
    const names = readdirSync(this.folder).filter((name) => /^audit\.log(\.\d{16})?$/.test(name));
    const rotated = names.filter((name) => name !== basename(this.path)).toSorted();
    return [...rotated, ...names.filter((name) => name === basename(this.path))].map((name) => join(this.folder, name));
  }

  get rotated(): readonly string[] {
    return this.files.filter((file) => file !== this.path);
  }

  recordsIn(...files: readonly string[]): readonly Record<string, unknown>[] {
    const lines = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    );
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  verify(storeHead: AuditHead = EMPTY_HEAD): AuditReport {
    return verifyAuditLog(this.path, this.identity, storeHead);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
