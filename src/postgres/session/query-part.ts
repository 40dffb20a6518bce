/**
 * One statement of a client's Query that is sent by itself, and what the proxy sends around it: what of the answers the client is shown, so
 * that it sees those of one message.
 */
import type { ErrorFields } from '../messages/error-response.ts';
import type { Refusal } from '../plan.ts';
import type { TransactionStatus } from './session.ts';

export type PartOptions = {
  /** `statement`: the client's. The others are the proxy's own, about the block in which those of one message are. */
  readonly role: 'statement' | 'begin' | 'commit' | 'rollback';
  /** As of MessageStatement. */
  readonly before: number;
  /** The client's BEGIN. */
  readonly begins: boolean;
  /** Nothing of the message follows, but the end of the proxy's block. */
  readonly isLast: boolean;
  /** The block that is open is the proxy's: the client sees its end only. */
  readonly isOurs: boolean;
};

export type PartOutcome = {
  readonly failed: boolean;
  /** Undefined: the connection is over. */
  readonly status: TransactionStatus | undefined;
};

/** already_begun: for the server there is a block, for the client there is none. */
const ALREADY_BEGUN = '25001';

export class QueryPart {
  readonly outcome: Promise<PartOutcome>;
  /** The server reads COPY data of the client for it. */
  readonly reading: Promise<void>;
  /** CommandComplete of the last statement, which the client gets once what it did is committed. */
  completion: Uint8Array | undefined;
  readonly #options: PartOptions;
  #failed = false;
  #resolve: (outcome: PartOutcome) => void = () => undefined;
  #reads: () => void = () => undefined;

  constructor(options: PartOptions) {
    this.#options = options;
    this.outcome = new Promise((resolve) => (this.#resolve = resolve));
    this.reading = new Promise((resolve) => (this.#reads = resolve));
  }

  get isOwn(): boolean {
    return this.#options.role !== 'statement';
  }

  /** Its CommandComplete waits for that of the proxy's COMMIT. */
  get waits(): boolean {
    const { role, begins, isLast, isOurs } = this.#options;
    return role === 'statement' && isLast && isOurs && !begins;
  }

  /** An error has come; whether it is the client's to see. */
  fail(): boolean {
    this.#failed = true;
    const { role, isLast } = this.#options;
    // It has been told why all is rolled back.
    return role !== 'rollback' || !isLast;
  }

  hidesNotice(fields: ErrorFields): boolean {
    return this.#options.begins && this.#options.isOurs && fields.get('C') === ALREADY_BEGUN;
  }

  /** ReadyForQuery has come; whether the client is shown it, and its message is over. */
  end(status: TransactionStatus): boolean {
    const { begins, isLast, isOurs } = this.#options;
    const failed = this.#failed;
    this.#resolve({ failed, status });
    const leavesOurs = isOurs && status !== 'idle' && (failed || !begins);
    return (failed || isLast) && !leavesOurs;
  }

  /** CopyInResponse has come. */
  read(): void {
    this.#reads();
  }

  /** No answer will come. */
  abandon(): void {
    this.#resolve({ failed: true, status: undefined });
  }

  /** An error's or notice's position in the text of the whole message. */
  placed(fields: ErrorFields): ErrorFields {
    const position = Number(fields.get('P'));
    if (!(position > 0)) return fields;
    return new Map(fields).set('P', String(position + this.#options.before));
  }

  placedRefusal(refusal: Refusal): Refusal {
    const { place } = refusal;
    return place === undefined
      ? refusal
      : { ...refusal, place: { ...place, position: place.position + this.#options.before } };
  }
}
