/** What goes to the thread that reads large statements, and what comes back. */
import type { StatementPlan } from '../../plan.ts';
import type { ServiceError } from '../../service/errors.ts';
import type { SessionSettings } from '../../session/settings.ts';
import type { Catalog } from '../catalog/catalog.ts';

export type LargeStatement = {
  readonly sql: string;
  readonly declaredOids: readonly number[];
  readonly settings: SessionSettings;
  readonly seesPhysicalTypes: boolean;
};

export type LargeAnswer = {
  readonly plans: readonly StatementPlan[];
  /** None of them needs more of the catalog than that it names nothing hot. */
  readonly isPlain: boolean;
  /** A name was not found: it may be of a later catalog. */
  readonly missesName: boolean;
};

/** A request of the thread on the service connection, which lives outside of it. */
export type Ask =
  | { readonly what: 'begin'; readonly how: 'transaction' | 'dryRun' }
  | { readonly what: 'query'; readonly session: number; readonly sql: string; readonly params: readonly unknown[] }
  | { readonly what: 'describe'; readonly session: number; readonly sql: string; readonly oids: readonly number[] }
  | { readonly what: 'end'; readonly session: number; readonly succeeded: boolean };

/** A ServiceError as it crosses. */
export type Failure = { readonly code: ServiceError['code']; readonly sqlstate: string; readonly message: string };

export type ToThread =
  /** `catalog`: where the thread does not have it. Without functions. */
  | { readonly type: 'plan'; readonly job: LargeStatement; readonly catalog: Catalog | undefined }
  | { readonly type: 'asked'; readonly id: number; readonly result: unknown; readonly failure: Failure | undefined };

export type FromThread =
  | { readonly type: 'planned'; readonly answer: LargeAnswer }
  | { readonly type: 'ask'; readonly id: number; readonly ask: Ask };
