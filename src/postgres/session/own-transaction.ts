/**
 * Questions to the server in the client's own transaction, over its own connection: what the transaction has changed and not committed nobody
 * else sees.
 *
 * Invariants: the client is told nothing of them, and its transaction, settings, statements, portals and cursors are as before, whatever
 * becomes of a question: all of it runs within a savepoint that is taken back. Names are the server's own: pg_catalog is searched before the
 * session's temporary schema, which is searched first where it is not named. Nothing of the client's is looked at meanwhile, and nothing of it is on its
 * way: the frontend waits. There is no Sync while the settings are changed, with which the server would report them.
 *
 * Source: PostgreSQL manual, 54.2.3 "Extended Query", "SAVEPOINT", "SET".
 */
import { serialize } from 'pg-protocol';
import { uncommitted } from '../analysis/errors.ts';
import type { OwnCatalog, OwnTransaction } from '../analysis/catalog/own-catalogs.ts';
import { PostgresError } from '../errors.ts';
import type { Questions, ServiceRow } from '../service/connection.ts';
import { wordsOf, type Repeated } from '../service/repeated.ts';
import { ServiceError } from '../service/errors.ts';
import { textOf } from '../wire/reader.ts';
import { untilAnswered } from './certainty.ts';
import { endSequence } from './probe.ts';
import type { Session } from './session.ts';

/** Of the statement, the portal and the savepoint. */
const NAME = 'sealgate own';
const SAVEPOINT = `SAVEPOINT "${NAME}"`;
const ROLLBACK = `ROLLBACK TO SAVEPOINT "${NAME}"`;
const RELEASE = `RELEASE SAVEPOINT "${NAME}"`;
const FLUSH = serialize.flush();
const CLOSE = Buffer.concat([serialize.close({ type: 'P', name: NAME }), serialize.close({ type: 'S', name: NAME })]);

/** What the answers depend on, but for what the server would report to the client at once (before version 14). */
const SETTINGS: Readonly<Record<string, string>> = {
  search_path: 'pg_catalog, pg_temp',
  quote_all_identifiers: 'off',
  // A row that a policy hides would pass for one that is not there: with `off` it is an error.
  row_security: 'off',
  statement_timeout: '0',
  lock_timeout: '3s',
};
const SETTINGS_SQL = `SELECT pg_catalog.current_setting('transaction_isolation') AS isolation, ${Object.entries(
  SETTINGS,
)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`)
  .join(', ')}`;

/** Of the session's open transaction; undefined where it has changed nothing of the catalog. */
export function ownTransaction(session: Session): OwnTransaction | undefined {
  return session.catalogTouched || session.catalogTouchedElsewhere ? session.own : undefined;
}

export class SessionTransaction implements OwnTransaction {
  catalog: OwnCatalog | undefined;
  readonly places = new Set<string>();
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get backend(): string {
    return this.#session.backend ?? '';
  }

  get hasSavepoints(): boolean {
    return this.#session.usesSavepoints;
  }

  async ask<Result>(work: (questions: Questions) => Promise<Result>): Promise<Result> {
    const session = this.#session;
    await untilAnswered(session);
    // A savepoint outside of a transaction block would end the client's transaction.
    if (session.skipping || session.status !== 'open' || session.blockInDoubt) throw uncommitted();
    const inSequence = session.sequenceOpen;
    const wire = new QuestionWire(session);
    try {
      await wire.run(SAVEPOINT);
      const [row] = await wire.run(asRows(SETTINGS_SQL));
      // Its snapshot is older than what names in it mean.
      if (!String(row?.['isolation']).startsWith('read ')) throw uncommitted();
      return await work(wire);
    } finally {
      await takeBack(session, wire, inSequence);
      session.sequenceOpen = inSequence;
    }
  }
}

async function takeBack(session: Session, wire: QuestionWire, inSequence: boolean): Promise<void> {
  await wire.close();
  const ending = new QuestionWire(session);
  if (wire.failed) {
    await endSequence(session);
    // The statement that failed and its portal are still there, and stand in the way of what takes the rest back.
    session.wires.toUpstream(CLOSE);
    for (let closing = 0; closing < 2; closing += 1) session.expect({ kind: 'close', internal: {} });
  }
  const done = [ending.run(ROLLBACK), ending.run(RELEASE)];
  if (wire.failed || !inSequence) done.push(endSequence(session).then(() => []));
  const outcomes = await Promise.allSettled(done);
  if (outcomes.every(({ status }) => status === 'fulfilled')) return;
  throw new PostgresError('ERR_POSTGRES_INTERNAL', 'the questions in the client’s transaction cannot be taken back', {
    sqlstate: '58000',
  });
}

/** Each row as JSON: nothing depends on how the session prints. */
function asRows(sql: string): string {
  return `SELECT pg_catalog.row_to_json(q) FROM (${sql}) q`;
}

class QuestionWire implements Questions {
  /** The server has refused one, and ignores everything up to the next Sync. */
  failed = false;
  #closed = false;
  readonly #session: Session;
  #pending = 0;
  #error: ReadonlyMap<string, string> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** As npm `pg` gives rows, but for int8, which is a number here. */
  async query<Row extends ServiceRow = ServiceRow>(
    sql: string | Repeated,
    params: readonly unknown[] = [],
  ): Promise<readonly Row[]> {
    return (await this.run(asRows(wordsOf(sql)), params)) as readonly Row[]; // as the caller knows the question
  }

  /** No question is asked any more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#pending > 0 && !this.failed) await this.#session.replies.until(0);
  }

  async run(sql: string, params: readonly unknown[] = []): Promise<readonly ServiceRow[]> {
    if (this.failed || this.#closed) throw failure(this.#error);
    const rows: ServiceRow[] = [];
    this.#pending += 1;
    const succeeded = await new Promise<boolean>((resolve) => {
      this.#send(sql, params);
      const failed = (fields: ReadonlyMap<string, string>): void => void (this.#error = fields);
      const step = { failed, done: (well: boolean) => void (well || resolve(false)) };
      const row = (values: readonly (Uint8Array | undefined)[]): void => void rows.push(rowOf(values));
      for (const kind of ['parse', 'bind'] as const) this.#session.expect({ kind, internal: step });
      this.#session.expect({ kind: 'execute', internal: { ...step, row } });
      this.#session.expect({ kind: 'close', internal: step });
      this.#session.expect({ kind: 'close', internal: { failed, done: resolve } });
      this.#session.wires.flushUpstream();
    });
    this.#pending -= 1;
    if (succeeded) return rows;
    this.failed = true;
    throw failure(this.#error);
  }

  #send(sql: string, params: readonly unknown[]): void {
    const { toUpstream } = this.#session.wires;
    toUpstream(serialize.parse({ name: NAME, text: sql, types: [] }));
    toUpstream(serialize.bind({ portal: NAME, statement: NAME, values: params.map(String) }));
    toUpstream(serialize.execute({ portal: NAME, rows: 0 }));
    toUpstream(CLOSE);
    toUpstream(FLUSH);
  }
}

function rowOf([value]: readonly (Uint8Array | undefined)[]): ServiceRow {
  const parsed: unknown = value === undefined ? {} : JSON.parse(textOf(value, 0, value.length));
  return parsed as ServiceRow; // row_to_json gives an object
}

/** `fields`: of the question that failed first. */
function failure(fields: ReadonlyMap<string, string> | undefined): ServiceError {
  const sqlstate = fields?.get('C') ?? '25P02';
  const message = `a question in the client’s transaction failed (SQLSTATE ${sqlstate})`;
  return new ServiceError('ERR_POSTGRES_SERVICE_QUERY', sqlstate, message);
}
