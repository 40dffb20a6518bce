/**
 * The vocabulary between the session (wire side), the analysis (SQL side) and the column service (value side).
 */
import type { RefusalPlace } from './refusal.ts';

/** The logical types a column rule may name. */
export type LogicalTypeName =
  | 'text' | 'varchar' | 'int2' | 'int4' | 'int8' | 'numeric' | 'bool' | 'date' | 'timestamptz' | 'uuid' | 'jsonb' | 'bytea';

export type LogicalType = {
  readonly name: LogicalTypeName;
  /** pg_type.oid of the logical type, and of its array type. */
  readonly oid: number;
  readonly arrayOid: number;
  /** As in pg_attribute.atttypmod: varchar(20) is 24, numeric(10,2) is ((10 << 16) | 2) + 4, -1 where there is none. */
  readonly typmod: number;
  /** pg_type.typlen: what RowDescription reports. */
  readonly typlen: number;
};

/** One sealed column: a rule, resolved against the live catalog. */
export type SealedColumn = {
  /** Stable random id (16 bytes, lowercase hex), the AAD; stored beside the DEKs, bound to name and attnum. */
  readonly id: string;
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly relationOid: number;
  readonly attnum: number;
  readonly type: LogicalType;
  readonly mode: 'randomized' | 'deterministic';
  /** Deterministic columns of one domain compare equal across tables; undefined for randomized ones. */
  readonly domain: string | undefined;
  /** The KMS key: id, ARN or alias. */
  readonly keyId: string;
};

/** A parameter ($n) that carries a sealed value: one role only, else the statement is refused. */
export type SealedParameter = {
  readonly column: SealedColumn;
  readonly shape: 'scalar' | 'array';
  /** `store` (absent: store) applies varchar(n) and numeric(p,s) as an assignment does; `compare` must not round or cut. */
  readonly purpose?: 'store' | 'compare';
};

/** A constant of the statement's text that is sealed before it goes upstream. `null` stays NULL. */
export type SealedLiteral = {
  readonly column: SealedColumn;
  readonly value: string | null;
  readonly purpose?: 'store' | 'compare';
};

/** Forwarded byte for byte: names nothing hot. */
export type PassPlan = { readonly type: 'pass' };
/** Forwarded, and changes what later statements mean (SET search_path, DDL, BEGIN..): the session re-reads its state after it. */
export type TrackPlan = { readonly type: 'track'; readonly effect: 'settings' | 'catalog' | 'transaction' };
/** Not forwarded: the client gets this error, in order and with the right transaction state. */
export type RefusePlan = { readonly type: 'refuse'; readonly refusal: Refusal };
export type SealedPlan = {
  readonly type: 'sealed';
  /** Upstream SQL in pieces: text to send as it is, and literals to seal into `'\x..'::bytea` form. */
  readonly pieces: readonly (string | SealedLiteral)[];
  /** By parameter number, from 1. Parameters not named here pass untouched. */
  readonly parameters: ReadonlyMap<number, SealedParameter>;
  /** The logical OIDs of all parameters as ParameterDescription shall report them, where they differ from upstream's; by number. */
  readonly results: readonly (SealedColumn | undefined)[] | undefined;
  /** Relations read or written, for Bind-time revalidation: the plan is valid only while these OIDs are what the names resolve to. */
  readonly state: PlanState;
};
export type StatementPlan = PassPlan | TrackPlan | RefusePlan | SealedPlan;

/** What a plan was made under; compared on every Bind and EXECUTE. */
export type PlanState = { readonly catalogEpoch: number; readonly settings: string };

/** A refusal: becomes ErrorResponse (and a catalogue code). */
export type Refusal = {
  readonly sqlstate: string;
  readonly code: `ERR_POSTGRES_${string}`;
  readonly message: string;
  readonly detail?: string;
  /** The way to write it instead. */
  readonly hint?: string;
  readonly place?: RefusalPlace;
};
