/**
 * Cuts one direction of a connection into messages, in place, and forwards what is not changed as runs of whole chunks.
 *
 * A handler says how much of a message it must see (`need`) and what becomes of it; the rest of a long message streams past
 * with no more than the handler's need held. Invariants: bytes leave in the order they came; a length is checked against its
 * limit before anything waits for it; while a handler's promise is open nothing later is looked at.
 */
import { protocolError } from './protocol-error.ts';
import { uint32At } from './reader.ts';

/** What becomes of a message: forwarded as it is, dropped or replaced (by the handler's own writes), or asked for whole. */
export const FORWARD = 0;
export const CONSUME = 1;
export const WHOLE = 2;
/** The handler gets the body piece by piece as it comes, and nothing of the message is forwarded. */
export const TAKE = 3;
/** What a handler's promise may come to: the message is to be looked at anew, as if it had just come. */
export const AGAIN = 4;
export type Verdict = typeof FORWARD | typeof CONSUME | typeof WHOLE | typeof TAKE;

export interface FrameHandler {
  /** How many bytes of the body `frame` must see. Throws for types and lengths it does not take. */
  need(type: number, bodyLength: number): number;
  /**
   * Decides on a message: `bytes` from `start` hold at least `need` bytes of the body, the whole of it when `start + bodyLength`
   * is within. A promise means CONSUME once it settles, but where it says AGAIN. After WHOLE it is called again with the whole body. Once it has returned, or its
   * promise settled, others are read into `bytes`: what is to be remembered of them is copied.
   */
  frame(type: number, bytes: Uint8Array, start: number, bodyLength: number): Verdict | Promise<void | typeof AGAIN>;
  /** After TAKE: the next bytes of the body, the stream's own once it has returned or its promise settled. */
  body?(type: number, bytes: Uint8Array): void | Promise<void>;
}

export interface FrameSink {
  /** Chunks in order, to be sent as one write where possible. */
  write(chunks: readonly Uint8Array[]): void;
  /** A handler failed, or the bytes break the protocol. Called once; the stream is dead afterwards. */
  failed(error: unknown): void;
  /** The stream, busy before, takes bytes again. */
  idle(): void;
}

const HEADER_BYTES = 5;
const NOTHING = new Uint8Array(0);

export class FrameStream {
  readonly #handler: FrameHandler;
  readonly #sink: FrameSink;
  #out: Uint8Array[] = [];
  /** Bytes of the current long message still to come, and whether they are forwarded or dropped. */
  #streaming = 0;
  #streamForward = true;
  /** The type of the message that is given to its handler piece by piece. */
  #taken: number | undefined;
  /** An unfinished message: its chunks, their length, and the length at which to look again. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #wanted = 0;
  #whole = false;
  /** The chunk being scanned, where bytes not yet written out begin, and where the scan is. */
  #chunk: Uint8Array = NOTHING;
  #run = 0;
  #at = 0;
  #waiting: Uint8Array[] = [];
  #busy = false;
  #dead = false;

  constructor(handler: FrameHandler, sink: FrameSink) {
    this.#handler = handler;
    this.#sink = sink;
  }

  /** True while a handler's promise is open: the source should be paused. */
  get busy(): boolean {
    return this.#busy;
  }

  /** True where no message is under way. */
  get atBoundary(): boolean {
    return this.#streaming === 0 && this.#heldBytes === 0 && !this.#busy;
  }

  /** Bytes from the source: in use until this returns, and as long as the stream is busy. What is kept of them otherwise is a copy. */
  push(chunk: Uint8Array): void {
    if (this.#dead) return;
    if (this.#busy) {
      this.#waiting.push(chunk);
      return;
    }
    try {
      this.#take(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Bytes from now on are handled when `work` is done, which does not fail. Not from inside a handler. */
  after(work: Promise<void>): void {
    if (this.#busy || this.#dead) return;
    this.#busy = true;
    void work.then(() => this.#resume(NOTHING, 0));
  }

  /** From inside a handler: bytes that leave in the place of the message being handled (before it, if it is forwarded). */
  write(bytes: Uint8Array): void {
    if (!this.#busy) this.#emit();
    this.#out.push(bytes);
  }

  /** Sends what handlers have written; a handler that awaits something needs it to leave first. */
  flush(): void {
    if (this.#out.length === 0) return;
    const out = this.#out;
    this.#out = [];
    this.#sink.write(out);
  }

  kill(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#held = [];
    this.#out = [];
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#dead) return;
    this.flush();
    this.kill();
    this.#sink.failed(error);
  }

  #take(chunk: Uint8Array): void {
    if (this.#heldBytes === 0) {
      this.#scan(chunk, 0);
      return;
    }
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#wanted) return;
    const joined = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    this.#scan(joined, 0);
  }

  /** The hot loop: nothing is allocated for a message that is forwarded. */
  #scan(chunk: Uint8Array, from: number): void {
    this.#chunk = chunk;
    this.#run = from;
    this.#at = from;
    while (this.#at < chunk.length) {
      if (this.#streaming > 0) {
        const work = this.#streamOn(chunk);
        if (work !== undefined) return this.#wait(work, this.#at);
        continue;
      }
      const at = this.#at;
      if (chunk.length - at < HEADER_BYTES) return this.#hold(HEADER_BYTES);
      const bodyLength = uint32At(chunk, at + 1) - 4;
      if (bodyLength < 0) throw protocolError('message length below its own four bytes');
      const type = chunk[at] ?? 0;
      const need = this.#handler.need(type, bodyLength);
      const wanted = HEADER_BYTES + (this.#whole ? bodyLength : need);
      if (chunk.length - at < wanted) return this.#hold(wanted);
      this.#whole = false;
      const verdict = this.#handler.frame(type, chunk, at + HEADER_BYTES, bodyLength);
      if (typeof verdict !== 'number') return this.#wait(verdict, at + HEADER_BYTES + bodyLength, at);
      if (verdict === WHOLE) this.#whole = true;
      else if (verdict === TAKE) this.#give(type, bodyLength);
      else this.#pass(HEADER_BYTES + bodyLength, verdict === FORWARD);
    }
    this.#emit();
    this.flush();
  }

  /** Moves past a message; what is not in this chunk follows as it comes. */
  #pass(length: number, forward: boolean): void {
    if (!forward) this.#emit();
    this.#streaming = length;
    this.#streamForward = forward;
    void this.#streamOn(this.#chunk);
  }

  #streamOn(chunk: Uint8Array): void | Promise<void> {
    const from = this.#at;
    const here = Math.min(this.#streaming, chunk.length - from);
    this.#streaming -= here;
    this.#at += here;
    if (this.#streamForward) return;
    this.#run = this.#at;
    const taken = this.#taken;
    if (this.#streaming === 0) this.#taken = undefined;
    if (taken !== undefined) return this.#handler.body?.(taken, chunk.subarray(from, from + here));
  }

  /** The message's header is dropped, and its body given to the handler as it is scanned. */
  #give(type: number, bodyLength: number): void {
    this.#pass(HEADER_BYTES, false);
    if (bodyLength === 0) return;
    this.#streaming = bodyLength;
    this.#taken = type;
  }

  /** Puts what was passed since the last run into the output. */
  #emit(): void {
    const { length } = this.#chunk;
    if (this.#run < this.#at)
      this.#out.push(this.#run === 0 && this.#at === length ? this.#chunk : this.#chunk.subarray(this.#run, this.#at));
    this.#run = this.#at;
  }

  #hold(wanted: number): void {
    this.#emit();
    this.flush();
    this.#held = [Buffer.from(this.#chunk.subarray(this.#at))];
    this.#heldBytes = this.#chunk.length - this.#at;
    this.#wanted = wanted;
    this.#chunk = NOTHING;
  }

  /** `at`: of the message itself. */
  #wait(promise: Promise<void | typeof AGAIN>, next: number, at = next): void {
    this.#busy = true;
    this.#emit();
    this.flush();
    const chunk = this.#chunk;
    promise.then(
      (verdict) => this.#resume(chunk, verdict === AGAIN ? at : next),
      (error: unknown) => {
        this.#busy = false;
        this.#fail(error);
      },
    );
  }

  #resume(chunk: Uint8Array, next: number): void {
    this.#busy = false;
    if (this.#dead) return;
    this.#guard(() => {
      this.flush();
      this.#scan(chunk, next);
    });
    while (!this.#busy && !this.#dead && this.#waiting.length > 0) {
      const waiting = this.#waiting.shift();
      if (waiting !== undefined) this.#guard(() => this.#take(waiting));
    }
    if (!this.#busy && !this.#dead) this.#sink.idle();
  }
}
