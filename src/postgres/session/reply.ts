/**
 * The replies a connection still owes its client, in order: one entry for each frontend message the server will answer.
 *
 * The server answers strictly in order, so the head of the queue says what the next backend message belongs to.
 */
import type { SealedPlan, TrackPlan, Refusal } from '../plan.ts';
import type { QueryPart } from './query-part.ts';
import type { ColumnSession } from '../columns/column-service.ts';

export type ReplyKind =
  | 'query'
  | 'parse'
  | 'bind'
  | 'describe-statement'
  | 'describe-portal'
  | 'execute'
  | 'close'
  | 'sync'
  | 'function-call'
  /** CopyDone or CopyFail sent while no COPY was known to run: no reply, but it marks a place. */
  | 'copy-end';

/** How the rows of one sealed statement are opened. */
export type ResultOpening = {
  readonly plan: SealedPlan;
  /** Undefined only while nothing can be opened yet (Describe of a statement). */
  readonly columns: ColumnSession | undefined;
  /** The format of each result as the client asked: none (all text), one for all, or one each. */
  readonly formats: readonly number[];
  /** Simple protocol: the server sends sealed bytes in bytea's text form. */
  readonly textual: boolean;
};

export type Reply = {
  readonly kind: ReplyKind;
  /** The message was replaced by one that fails: its error becomes this. */
  readonly refusal?: Refusal;
  /** Of a Bind: only the error about a format that there is not; another one is the client's. */
  readonly atFormat?: true;
  /** Of a Query: how many statements come before the one that was replaced. */
  readonly refusedAt?: number;
  /** One for each statement of a Query, one otherwise. */
  readonly openings?: readonly (ResultOpening | undefined)[];
  /** Of Parse and Bind: the statement whose text errors are about. */
  readonly plan?: SealedPlan;
  readonly track?: TrackPlan['effect'];
  /** The proxy's own message: nothing of the answer goes to the client, except an error. */
  readonly internal?: InternalReply;
  /** Of a Query: it is one of several that a client's message was taken apart into, or about these. */
  readonly part?: QueryPart;
  /** Called once it is known what becomes of it: the server reads its COPY data, or it is complete, or was skipped. */
  readonly settled?: () => void;
  /** COPY FROM STDIN of a table without sealed columns may be among its statements: data that comes is passed on. */
  readonly copiesIn?: boolean;
  /** Of a Query: takes back what was remembered of its statements from this one on. */
  readonly undoFrom?: (index: number) => void;
  /** Takes back what was remembered of the message; called when it fails or is skipped. */
  readonly undo?: () => void;
};

export interface InternalReply {
  /** Called with each DataRow body. */
  readonly row?: (values: readonly (Uint8Array | undefined)[]) => void;
  /** Called with the server's error, before `done`: it goes to nobody else, unless it ends the connection. */
  readonly failed?: (fields: ReadonlyMap<string, string>) => void;
  /** Whether the message succeeded; the first call counts. */
  readonly done?: (succeeded: boolean) => void;
}

/** Replies to messages nobody looks at: shared, so that pass-through allocates nothing. */
export const PASS = {
  query: { kind: 'query' },
  parse: { kind: 'parse' },
  bind: { kind: 'bind' },
  describeStatement: { kind: 'describe-statement' },
  describePortal: { kind: 'describe-portal' },
  execute: { kind: 'execute' },
  close: { kind: 'close' },
  sync: { kind: 'sync' },
  functionCall: { kind: 'function-call' },
  copyEnd: { kind: 'copy-end' },
} as const satisfies Record<string, Reply>;

const COMPACT_AT = 1024;

export class ReplyQueue {
  #items: (Reply | undefined)[] = [];
  #head = 0;
  /** How many were ever owed, and how many of them are no more; some of those that were never answered are counted late. */
  begun = 0;
  ended = 0;
  #waiters: { readonly size: number; readonly resolve: () => void }[] = [];

  get size(): number {
    return this.#items.length - this.#head;
  }

  get head(): Reply | undefined {
    return this.#items[this.#head];
  }

  push(reply: Reply): void {
    this.#items.push(reply);
    this.begun++;
  }

  shift(): Reply | undefined {
    const reply = this.#items[this.#head];
    if (reply === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head++;
    this.ended++;
    if (this.#head === this.#items.length) {
      this.ended = this.begun;
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head === COMPACT_AT) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    if (this.#waiters.length > 0) this.#wake();
    return reply;
  }

  /** Removes what follows the head, up to the first entry `stop` takes; `keep` says which of them stay. */
  dropAfterHead(stop: (reply: Reply) => boolean, keep: (reply: Reply) => boolean): void {
    const rest = this.#items.slice(this.#head + 1).filter((reply) => reply !== undefined);
    const found = rest.findIndex(stop);
    const end = found < 0 ? rest.length : found;
    const kept = [...rest.slice(0, end).filter(keep), ...rest.slice(end)];
    this.#items = [this.head, ...kept];
    this.#head = 0;
  }

  /** Resolves once at most `size` replies are owed. */
  until(size: number): Promise<void> {
    if (this.size <= size) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ size, resolve }));
  }

  /** Ends every wait, also that of whoever asked a question of the proxy's own: the connection is over. */
  release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
    for (const reply of this.#items.slice(this.#head)) {
      reply?.internal?.done?.(false);
      reply?.part?.abandon();
    }
  }

  #wake(): void {
    const { size } = this;
    const ready = this.#waiters.filter((waiter) => size <= waiter.size);
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => size > waiter.size);
    for (const waiter of ready) waiter.resolve();
  }
}
