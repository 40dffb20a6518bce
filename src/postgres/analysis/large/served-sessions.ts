/** Sessions on the service connection that the thread has begun: held open until it ends them, or is gone. */
import { unreachable } from '../../../errors.ts';
import type { ServiceSession } from '../../service/connection.ts';
import type { Ask } from './messages.ts';
import type { RemoteService } from './remote-service.ts';

type Open = {
  readonly session: ServiceSession;
  /** Lets the transaction end; `done` settles when it has. */
  readonly end: (succeeded: boolean) => void;
  readonly done: Promise<void>;
};

export class ServedSessions {
  readonly #service: RemoteService;
  readonly #open = new Map<number, Open>();
  #last = 0;
  #isOver = false;

  constructor(service: RemoteService) {
    this.#service = service;
  }

  /** Rejects as the connection does. */
  async answer(ask: Ask): Promise<unknown> {
    switch (ask.what) {
      case 'begin':
        return this.#begin(ask.how);
      case 'query':
        return this.#session(ask.session).session.query(ask.sql, ask.params);
      case 'describe':
        return this.#session(ask.session).session.describe(ask.sql, ask.oids);
      case 'end': {
        const open = this.#session(ask.session);
        this.#open.delete(ask.session);
        open.end(ask.succeeded);
        return open.done;
      }
      default:
        return unreachable(ask);
    }
  }

  /** The thread is gone: nothing it began is kept, and nothing that it had asked for begins. */
  endAll(): void {
    this.#isOver = true;
    for (const open of this.#open.values()) {
      open.done.catch(() => undefined);
      open.end(false);
    }
    this.#open.clear();
  }

  #begin(how: 'transaction' | 'dryRun'): Promise<number> {
    const id = (this.#last += 1);
    return new Promise((begun, failed) => {
      let tries = 0;
      const done = this.#service[how]((session) => {
        // Tried again after the connection broke: the thread has been told by then, and this one is nobody's.
        if (this.#isOver || (tries += 1) > 1) return Promise.reject(new Taken());
        return new Promise<void>((resolve, reject) => {
          const end = (succeeded: boolean): void => (succeeded ? resolve() : reject(new Taken()));
          this.#open.set(id, { session, end, done: finished });
          begun(id);
        });
      });
      // Taking back is what was asked for.
      const finished: Promise<void> = done.catch((error: unknown) => {
        if (!(error instanceof Taken)) throw error;
      });
      finished.catch(failed);
    });
  }

  #session(id: number): Open {
    const open = this.#open.get(id);
    if (open === undefined) throw new TypeError('no such session');
    return open;
  }
}

/** Takes a transaction back. */
class Taken extends Error {}
