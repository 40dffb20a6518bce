/**
 * One client's session on a database with rules, from AuthenticationOk on: what is remembered between messages.
 *
 * The two directions are two FrameStreams; handlers (frontend/, backend/) read and change this state. Invariants: each frontend
 * message the server will answer has exactly one entry in `replies`; nothing sealed is forwarded without its plan being current.
 */
import type { StatementAnalyzer } from '../analysis/analyzer.ts';
import type { ColumnService, ColumnSession } from '../columns/column-service.ts';
import type { NamedUse, Refusal, SealedPlan, TrackPlan } from '../plan.ts';
import type { OwnTransaction } from '../analysis/catalog/own-catalogs.ts';
import { ColdStatements } from './cold-statements.ts';
import type { Copying } from './copying.ts';
import type { Cursor } from './known-names.ts';
import type { NameChange } from './names.ts';
import { NameTable } from './name-table.ts';
import type { ProxyLogger, ProxyMetrics } from '../options.ts';
import { SessionTransaction } from './own-transaction.ts';
import { PASS, ReplyQueue, type Reply, type ResultOpening } from './reply.ts';
import { initialSettings, type ReportedLexing, type SessionSettings } from './settings.ts';
import type { Held } from './held.ts';

/** A prepared statement that Bind must look at. Those that concern nothing are `ColdStatements`. */
export type Statement = {
  /** What each run of it does to the session's names. */
  readonly change?: NameChange;
  /** COPY FROM STDIN of a table without sealed columns. */
  readonly copiesIn?: boolean;
  /** FETCH or EXECUTE of what touched nothing sealed then. */
  readonly uses?: NamedUse;
} & (
  | {
      readonly type: 'sealed';
      plan: SealedPlan;
      readonly sql: string;
      readonly declaredOids: readonly number[];
      /** As of PreparedText. */
      readonly parameterCount?: number;
      /** Where constants of its text were sealed that follow settings: those under which they were read here. */
      readonly sealedUnder?: SessionSettings;
      /** Opened for its Parse, in this turn of the event loop: one use of their keys with the first Bind that comes in it. */
      opened?: ColumnSession | undefined;
    }
  | {
      readonly type: 'track';
      readonly effect: TrackPlan['effect'] | undefined;
      /** The text of a PREPARE TRANSACTION: whether it may be run depends on what the transaction did. */
      readonly prepares?: string;
    }
  /** Sent on unseen, and names by now what may be sealed. */
  | { readonly type: 'stale' }
  /** Found to touch nothing sealed under these settings and this catalog; under others it might. */
  | {
      readonly type: 'watched';
      readonly sql: string;
      readonly declaredOids: readonly number[];
      settings: SessionSettings;
      catalogEpoch: number;
    }
);

export type Portal = Pick<Statement, 'change' | 'copiesIn' | 'uses'> &
  /** `boundUnder`: of a statement that the server reads when it runs it, what it was bound under. */
  (
    | { readonly type: 'sealed'; readonly opening: ResultOpening; readonly boundUnder?: SessionSettings }
    | { readonly type: 'track'; readonly effect: TrackPlan['effect'] | undefined }
  );

export type TransactionStatus = 'idle' | 'open' | 'failed';

/** Where bytes go; set by whoever owns the sockets. */
export interface SessionWires {
  /** In the place of the frontend message being handled. */
  readonly toUpstream: (bytes: Uint8Array) => void;
  /** Sends what was given to `toUpstream` now. */
  readonly flushUpstream: () => void;
  /** In the place of the backend message being handled. */
  readonly toClient: (bytes: Uint8Array) => void;
  /** Of what runs beside the handlers: both connections end. */
  readonly failed: (error: unknown) => void;
}

/** A Query whose statements are sent one after the other. */
export interface MessageInParts {
  /** Resolves when a statement of it reads COPY data, or all of it is answered: no other message of the client is looked at before. */
  readonly turn: Promise<void>;
}

export type SessionOptions = {
  readonly analyzer: StatementAnalyzer;
  readonly columns: ColumnService;
  readonly user: string;
  readonly database: string;
  readonly wires: SessionWires;
  readonly logger: ProxyLogger;
  readonly metrics: ProxyMetrics;
};

export class Session {
  readonly replies = new ReplyQueue();
  readonly statements = new NameTable<Statement>(this.replies);
  readonly cold: ColdStatements;
  /** Of PREPARE, on nothing sealed: what EXECUTE gives them may be sent. */
  readonly plainNames = new NameTable<true>(this.replies);
  readonly portals = new NameTable<Portal>(this.replies);
  /** SQL's cursors over sealed columns. */
  readonly cursors = new NameTable<Cursor>(this.replies);
  readonly analyzer: StatementAnalyzer;
  readonly columns: ColumnService;
  readonly wires: SessionWires;
  readonly logger: ProxyLogger;
  readonly metrics: ProxyMetrics;
  settings: SessionSettings;
  /** The process id of the server's backend, as it says itself; undefined until it was asked. */
  backend: string | undefined;
  /** As of ReadyForQuery true, whatever was asked and answered before it: `asReported`. */
  reported: ReportedLexing = {};
  /** What the settings say may no longer be so: they are asked for before the next hot statement. */
  settingsStale = true;
  /** A statement that may change settings has run since the last ReadyForQuery, ahead of which the server reports them. */
  reportsPending = false;
  /** Epoch of the catalog that had been seen when they were asked for: what is searched depends on which schemas there are, and who may use them. */
  settingsEpoch = -1;
  /** The client said that it goes, or was told by the server that it has to. */
  isOver = false;
  /** As of the last ReadyForQuery. */
  status: TransactionStatus = 'idle';
  /** A statement has succeeded since that said `failed`: none does but ROLLBACK, with or without TO, and what amounts to it. */
  failureOver = false;
  /** The server ignores messages until the next Sync, and has said so. */
  skipping = false;
  /** The server reads CopyData from the client. */
  copyIn = false;
  /** The COPY of sealed columns whose data is on its way. */
  copying: Copying | undefined;
  /** A COPY was refused here, or failed: what may still come of its data is not sent on, before another message or the next Sync. */
  dropsCopyData: 'no' | 'until-message' | 'until-sync' = 'no';
  /** COPYs of other tables that were sent on and may still read data. */
  plainCopies = 0;
  inParts: MessageInParts | undefined;
  /** Extended-protocol messages were sent since the last Sync or Query. */
  sequenceOpen = false;
  /** A Bind or Execute was among what the client sent since its last Sync, whatever Query came since: a Sync would end a portal, or a block. */
  boundSinceSync = false;
  /** As of the last answer: what a Sync of the proxy's own would end. */
  held: Held = 'nothing';
  /** The proxy's question was asked within the client's sequence, which the server takes for a pipeline since: `endQuestion`. */
  questionOpen = false;
  /** Of the last Sync or Query that was sent, as the next of `replies` is counted: what failed before it does not keep what comes now from being run. */
  #sequenceBegan = 0;
  /** Replies owed to statements that change settings, catalog or transaction. */
  tracksPending = 0;
  /** As many of these as do more than to begin or end transactions. */
  changesPending = 0;
  /** The open transaction changed settings or catalog: its end may take that back, or make it true for all. */
  settingsTouched = false;
  catalogTouched = false;
  /** It changed the catalog where that cannot concern anything sealed: statements on sealed columns need not wait for its end. */
  catalogTouchedElsewhere = false;
  /** What can be asked of the open transaction. */
  readonly own: OwnTransaction = new SessionTransaction(this);
  /** A statement that begins or ends transactions has run since the last ReadyForQuery, or the open block may be none that BEGIN began. */
  blockInDoubt = false;
  /** A statement that may make a savepoint was seen: a prepared one may do so at any time. */
  usesSavepoints = false;
  /** Releases of what the open transaction makes. */
  making: (() => void)[] = [];
  /** Index of the statement of the Query whose rows are coming. */
  queryIndex = 0;
  /** Plans whose RowDescription has been compared with the server's. */
  readonly verified = new WeakSet<SealedPlan>();
  /** pg_type.oid of each result column, of plans that show texts of ours. */
  readonly describedTypes = new WeakMap<SealedPlan, readonly number[]>();
  #ended = false;

  constructor(options: SessionOptions) {
    this.analyzer = options.analyzer;
    this.cold = new ColdStatements(options.analyzer, this.replies);
    this.columns = options.columns;
    this.wires = options.wires;
    this.logger = options.logger;
    this.metrics = options.metrics;
    this.settings = initialSettings(options.user, options.database);
    // The ReadyForQuery that ends startup.
    this.replies.push(PASS.sync);
  }

  /** The settings are to be asked for before anything depends on them. */
  get settingsOutdated(): boolean {
    return this.settingsStale || this.settingsEpoch !== this.analyzer.catalogEpoch;
  }

  /** Before a prepared statement is looked up: what was sent on unseen and would not be by now has to be prepared again. */
  reviewCold(): void {
    if (!this.cold.isOutdated) return;
    for (const name of this.cold.takeConcerning()) this.statements.set(name, { type: 'stale' });
  }

  /** What a prepared statement's name stands for is known only once replies have come: `untilCertain`. */
  isInDoubt(statement: string): boolean {
    const since = this.#sequenceBegan;
    return this.statements.isInDoubt(statement, since) || this.cold.isInDoubt(statement, since);
  }

  /** A statement with this plan is sent. */
  makes({ makes }: SealedPlan): void {
    if (makes !== undefined) this.making.push(this.analyzer.expect(makes));
  }

  /** Whether it was made is for the catalog to say. */
  made(): void {
    for (const release of this.making) release();
    this.making = [];
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** The connection is over: nobody waits for an answer any more, nor holds what others need meanwhile. */
  end(): void {
    this.#ended = true;
    this.replies.release();
  }

  /** A reply to come; keeps count of what the handlers need to know about those in flight. */
  expect(reply: Reply): void {
    if (this.#ended || (this.skipping && reply.kind !== 'sync')) return this.#skip(reply);
    this.replies.push(reply);
    if (reply.track !== undefined) this.tracksPending++;
    if (changes(reply)) this.changesPending++;
    if (reply.copiesIn === true) this.plainCopies++;
    if (reply.kind === 'copy-end') return;
    if (reply.kind === 'sync' || reply.kind === 'query') this.#sequenceEnds();
    this.sequenceOpen = reply.kind !== 'query' && reply.kind !== 'sync' && reply.kind !== 'function-call';
    if (reply.kind === 'sync') this.boundSinceSync = this.questionOpen = false;
    else if ((reply.kind === 'bind' || reply.kind === 'execute') && reply.internal === undefined)
      this.boundSinceSync = true;
  }

  #sequenceEnds(): void {
    this.#sequenceBegan = this.replies.begun;
    // What was asked within it may be taken back with its end: whether all of it succeeds is not known yet.
    if (this.reportsPending) this.settingsStale = true;
  }

  /** The server began to skip while the message was being made ready, or is gone: it answers nothing. */
  #skip(reply: Reply): void {
    reply.undoFrom?.(0);
    reply.undo?.();
    reply.internal?.done?.(false);
    reply.settled?.();
    reply.part?.abandon();
  }

  /** The head's reply is complete, or was skipped. */
  finish(): Reply | undefined {
    const reply = this.replies.shift();
    if (reply?.track !== undefined) this.tracksPending--;
    if (reply !== undefined && changes(reply)) this.changesPending--;
    if (reply?.copiesIn === true) this.plainCopies--;
    if (reply?.kind === 'query') this.queryIndex = 0;
    reply?.settled?.();
    // CopyDone outside COPY has no reply.
    while (this.replies.head?.kind === 'copy-end') this.replies.shift();
    return reply;
  }

  /** Whether anything was prepared that Bind, Describe, Execute and Close must look at. */
  get watches(): boolean {
    return this.statements.size > 0 || this.portals.size > 0 || this.cursors.size > 0 || this.plainNames.size > 0;
  }

  /** Of the statement in progress, where another that fails was sent in its place. */
  get refusal(): Refusal | undefined {
    const { head } = this.replies;
    return (head?.refusedAt ?? 0) === this.queryIndex ? head?.refusal : undefined;
  }

  /** The statement in progress, as far as its results are opened. */
  get opening(): ResultOpening | undefined {
    return this.replies.head?.openings?.[this.queryIndex];
  }
}

const changes = ({ track }: Reply): boolean => track !== undefined && track !== 'transaction';
