/**
 * A stand-in for the analysis and the column service with rules simple enough to see through, for tests of the session alone:
 * the table `vault(id int, secret bytea)` is hot, and "sealing" puts a mark in front of the value and turns its bits over.
 */
import type { StatementAnalyzer } from '../../../src/postgres/analysis/analyzer.ts';
import type { ColumnService, ColumnSession } from '../../../src/postgres/columns/column-service.ts';
import type { SealedColumn, SealedPlan, StatementPlan } from '../../../src/postgres/plan.ts';
import type { ProtectedDatabase } from '../../../src/postgres/options.ts';
import type { SessionSettings } from '../../../src/postgres/session/settings.ts';

export const MARK = 'SEAL';

export const column: SealedColumn = {
  id: '00'.repeat(16),
  database: 'postgres',
  schema: 'public',
  table: 'vault',
  column: 'secret',
  relationOid: 0,
  attnum: 2,
  type: { name: 'text', oid: 25, arrayOid: 1009, typmod: -1, typlen: -1 },
  mode: 'randomized',
  domain: undefined,
  keyId: 'alias/test',
};

const flip = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte) => byte ^ 0xff);

function seal(value: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(MARK), flip(value)]);
}

function unseal(sealed: Uint8Array): Uint8Array {
  if (Buffer.from(sealed.subarray(0, 4)).toString() !== MARK) throw new Error('not sealed');
  return flip(sealed.subarray(4));
}

const columnSession: ColumnSession = {
  seal: (_column, value) => seal(value),
  sealLiteral: (_column, text) => seal(Buffer.from(text)),
  unseal: (_column, sealed) => unseal(sealed),
  has: (_column, sealed) => sealed.length % 2 === 0,
  fetch: () => new Promise((resolve) => setImmediate(resolve)),
};

export class FakeAnalysis implements StatementAnalyzer {
  catalogEpoch = 1;
  readonly hotNames = 1;
  readonly serverEncoding = 'UTF8';
  catalogChanges = 0;
  /** Settings each plan was made under. */
  readonly seen: SessionSettings[] = [];

  catchUp(): undefined {
    return undefined;
  }

  mayConcern(sql: string): boolean {
    return /vault|refuse|^\s*(set|begin|commit|rollback|create|drop|copy)\b/i.test(sql);
  }

  async plan(sql: string, _oids: readonly number[], session: SessionSettings): Promise<readonly StatementPlan[]> {
    this.seen.push(session);
    await new Promise((resolve) => setImmediate(resolve));
    const parts = sql.split(';').filter((part) => part.trim() !== '');
    return parts.map((part) => this.#planOne(part));
  }

  statementsOf(): undefined {
    return undefined;
  }

  executeText(): never {
    throw new Error('no EXECUTE here');
  }

  isCurrent(plan: SealedPlan): boolean {
    return plan.state.catalogEpoch === this.catalogEpoch;
  }

  catalogChanged(): void {
    this.catalogEpoch++;
    this.catalogChanges++;
  }

  expect(): () => void {
    return () => undefined;
  }

  close(): void {}

  #planOne(text: string): StatementPlan {
    if (/refuse/i.test(text)) {
      return {
        type: 'refuse',
        refusal: {
          sqlstate: '0A000',
          code: 'ERR_POSTGRES_TEST',
          message: 'refused',
          hint: 'do not',
          place: { position: 8 },
        },
      };
    }
    if (/^\s*set\b/i.test(text)) return { type: 'track', text, effect: 'settings' };
    if (/^\s*(create|drop)\b/i.test(text)) return { type: 'track', text, effect: 'catalog' };
    if (/^\s*(begin|commit|rollback)\b/i.test(text)) return { type: 'track', text, effect: 'transaction' };
    if (!/vault/i.test(text)) return { type: 'pass', text, copiesIn: /^\s*copy .* from stdin/i.test(text) };
    return this.#sealed(text);
  }

  /** `'...'` is a sealed literal, `$2` a sealed parameter, and results are (id, secret) where the text selects. */
  #sealed(text: string): SealedPlan {
    const pieces = text.split(/'([^']*)'/).map((piece, index) => (index % 2 === 0 ? piece : { column, value: piece }));
    const parameters = new Map(text.includes('$2') ? [[2, { column, shape: 'scalar' as const }]] : []);
    const returns = /select|returning/i.test(text);
    return {
      type: 'sealed',
      pieces,
      piecePlaces: pieces.map(() => 1),
      parameters,
      parameterOids: new Map([...parameters.keys()].map((number) => [number, 25])),
      columns: [column],
      results: returns ? [undefined, column] : undefined,
      origins: returns ? [{ type: 'any' }, { type: 'any' }] : undefined,
      forbiddenOrigins: new Set(),
      state: { catalogEpoch: this.catalogEpoch, settings: '' },
    };
  }
}

export function fakeDatabase(analyzer: FakeAnalysis): ProtectedDatabase {
  const columns: ColumnService = { principalOf: (role) => role, open: async () => columnSession };
  return { analyzer, columns };
}
