/**
 * Plans by statement text, and templates by text without literals. Bounded; emptied when the catalog changes. Texts that hold sealed
 * literals are not kept: only their templates are.
 */
import { LRUCache } from 'lru-cache';
import type { StatementPlan } from '../plan.ts';
import type { PlanTemplate } from './text/template.ts';

/** Entries of each kind: an application has some hundred statements; generated ones are bounded by size. */
const MAX_PLANS = 5_000;
/** UTF-16 units of all keys together. */
const MAX_PLAN_UNITS = 16 * 1024 * 1024;

export class PlanCache {
  readonly #plans = new LRUCache<string, readonly StatementPlan[]>({
    max: MAX_PLANS,
    maxSize: MAX_PLAN_UNITS,
    sizeCalculation: sizeOf,
  });
  readonly #templates = new LRUCache<string, PlanTemplate>({
    max: MAX_PLANS,
    maxSize: MAX_PLAN_UNITS,
    sizeCalculation: sizeOf,
  });
  #epoch = -1;

  /** Empties itself when the epoch is another than before. */
  enter(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#plans.clear();
    this.#templates.clear();
    this.#epoch = epoch;
  }

  plans(key: string): readonly StatementPlan[] | undefined {
    return this.#plans.get(key);
  }

  template(key: string): PlanTemplate | undefined {
    return this.#templates.get(key);
  }

  /** Only if no catalog came in between. */
  keepPlans(epoch: number, key: string, plans: readonly StatementPlan[]): void {
    if (epoch === this.#epoch) this.#plans.set(key, plans);
  }

  keepTemplate(epoch: number, key: string, template: PlanTemplate): void {
    if (epoch === this.#epoch) this.#templates.set(key, template);
  }
}

function sizeOf(_value: unknown, key: string): number {
  return key.length + 1;
}
