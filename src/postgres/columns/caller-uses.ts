/**
 * Uses of columns' keys as the key manager is told of them: one frozen object for the same caller and column, so that it need not put together
 * anew what it says of each.
 */
import type { KeyUse } from '../../keys/uses/data-keys.ts';
import { MAX_KEY_USES } from '../limits.ts';
import type { ColumnUse } from './column-service.ts';

export class CallerUses {
  /** By caller, then by column. */
  #uses = new Map<string, Map<string, KeyUse>>();
  #size = 0;

  /** `resource`: the column's name in audit records. */
  of({ principal, via = 'postgres' }: ColumnUse, resource: string): KeyUse {
    const known = this.#uses.get(principal)?.get(resource);
    return known?.via === via ? known : this.#keep(Object.freeze({ principal, via, resource }));
  }

  #keep(use: KeyUse): KeyUse {
    if (this.#size >= MAX_KEY_USES) {
      this.#uses = new Map();
      this.#size = 0;
    }
    const ofCaller = this.#uses.get(use.principal) ?? new Map<string, KeyUse>();
    this.#uses.set(use.principal, ofCaller.set(use.resource, use));
    this.#size += 1;
    return use;
  }
}
