/**
 * The vocabulary between the session (wire side), the analysis (SQL side) and the column service (value side).
 */
import type { ComingRelation } from './analysis/catalog/catalog.ts';
import type { CopyFormat } from './copy/format.ts';
import type { ColumnFormat } from './service/rules.ts';
import type { RefusalPlace } from './refusal.ts';
import type { ViolatedConstraint } from './types/errors.ts';

/** The logical types a column rule may name. */
export type LogicalTypeName =
  | 'text'
  | 'varchar'
  | 'bpchar'
  | 'int2'
  | 'int4'
  | 'int8'
  | 'numeric'
  | 'float4'
  | 'float8'
  | 'bool'
  | 'bytea'
  | 'date'
  | 'time'
  | 'timetz'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'uuid'
  | 'inet'
  | 'cidr'
  | 'macaddr'
  | 'macaddr8'
  | 'bit'
  | 'varbit'
  | 'json'
  | 'jsonb'
  | 'enum'
  | 'array';

export type LogicalType = {
  readonly name: LogicalTypeName;
  /** pg_type.oid of the logical type, and of its array type. */
  readonly oid: number;
  readonly arrayOid: number;
  /** As in pg_attribute.atttypmod: varchar(20) is 24, numeric(10,2) is ((10 << 16) | 2) + 4, -1 where there is none. */
  readonly typmod: number;
  /** pg_type.typlen: what RowDescription reports. */
  readonly typlen: number;
  /** Of an array: its elements' type, with the array's modifier. */
  readonly element?: LogicalType;
  /** Of a domain, whose base type this is otherwise: clients are told its OID for parameters, and the base type's for results. */
  readonly domain?: { readonly schema: string; readonly name: string; readonly oid: number };
  /** Of an enum: its name and labels in the database. */
  readonly user?: { readonly schema: string; readonly name: string; readonly labels: readonly string[] };
};

/**
 * `store`: assigned to the column, its modifier applied. `compare`: for equality alone; nothing is rounded or cut. `choose`: a value that may
 * come out in the column's place (CASE, COALESCE, UNION), so it must print as it was written. `both`: stored and compared, so that it must
 * be stored as it is.
 */
export type ValuePurpose = 'store' | 'compare' | 'choose' | 'both';

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
  /** Deterministic values that keep their form: the column has its own type, and no guard. */
  readonly format?: ColumnFormat;
  /** The KMS key: id, ARN or alias. */
  readonly keyId: string;
  /** Of a column in a domain: the domain's stable id, which is then the AAD in place of `id` (`id` stays the column's own). */
  readonly domainId?: string;
  /** The rule's own type, where an expression has dropped the modifier of `type`: what stored values are read by. */
  readonly storedType?: LogicalType;
  /** What the column gets where it is left out or given DEFAULT, as its type is written in text; undefined: NULL. */
  readonly default?: string;
  /** What every value must pass before it is sealed for the column. */
  readonly checks?: readonly ColumnCheck[];
  /** No column of a rule, but a value with sealed ones inside it: nothing is sealed for it, and nothing compared. */
  readonly carries?: Carried;
};

/** Sealed values inside another. */
export type Carried = CarriedParts & {
  /** The columns they are of, each once. */
  readonly columns: readonly SealedColumn[];
  /** How many places the analysis knows in it, sealed and plain. */
  readonly places: number;
};

/** In an array, in JSON, or in a row. `isText`: the row's text, in a text column. `joined`: texts, as string_agg joins them. `text`: the value cast to text. */
export type CarriedParts =
  | { readonly as: 'array'; readonly of: SealedColumn; readonly sorted?: ValueSort }
  | { readonly as: 'joined' | 'text'; readonly of: SealedColumn }
  | { readonly as: 'json'; readonly shape: JsonShape }
  | {
      readonly as: 'row';
      readonly alias: string;
      readonly location: number;
      readonly fields: readonly RowField[];
      readonly isText?: true;
    };

/** The order of values that the server has in the order of their ciphertext. */
export type ValueSort = { readonly descending: boolean; readonly nullsFirst: boolean };

/** `name`: undefined where the server may call it otherwise. `column`: undefined where it is plain. */
export type RowField = { readonly name: string | undefined; readonly column: SealedColumn | undefined };

/** `jsonb` keeps numbers as numeric does, and its text has a space after each comma. */
export type JsonForm = 'json' | 'jsonb';

/** Where sealed values stand in JSON that the server makes of them, as strings; every part may be null as well. */
export type JsonShape =
  | { readonly is: 'plain' }
  | { readonly is: 'value'; readonly column: SealedColumn; readonly form: JsonForm }
  /** Any number of items. `sorted`: the items are values, and are put in that order. */
  | { readonly is: 'list'; readonly items: JsonShape; readonly sorted?: ValueSort }
  /** These items, or none. */
  | { readonly is: 'tuple'; readonly items: readonly JsonShape[] }
  /** These members, or none: in their order, or found by their keys. */
  | { readonly is: 'object'; readonly by: 'place' | 'key'; readonly members: readonly JsonMember[] }
  /** Members of any keys. */
  | { readonly is: 'map'; readonly values: JsonShape };

type JsonMember = { readonly key: string | undefined; readonly shape: JsonShape };

/** A declared CHECK that the proxy enforces: of the column, or of the domain that is its type. */
export type ColumnCheck = {
  /** As errors tell it. */
  readonly constraint: ViolatedConstraint;
  /** Where it is a domain's: the domain as errors name it. */
  readonly domain?: string;
  /** Of a value that is not NULL, by its canonical bytes. */
  readonly passes: (canonical: Uint8Array) => boolean;
};

/** A parameter ($n) that carries a sealed value: one role only, else the statement is refused. */
export type SealedParameter = {
  readonly column: SealedColumn;
  readonly shape: 'scalar' | 'array';
  /** Absent: store. */
  readonly purpose?: ValuePurpose;
  /** The type the statement itself or Parse gives the value, where it is not the column's own: what ParameterDescription reports. */
  readonly declaredOid?: number;
  /** The type with a modifier that a cast makes of the value first. */
  readonly cast?: LogicalType;
};

/** A constant of the statement's text that is sealed before it goes upstream. NULL stays as it is written. */
export type SealedLiteral = {
  readonly column: SealedColumn;
  readonly value: string | null;
  readonly purpose?: ValuePurpose;
  /** The type of the constant (a cast, or a number's own type), where it is not simply a quoted string. */
  readonly declaredOid?: number;
  /** The type with a modifier that a cast makes of the value first. */
  readonly cast?: LogicalType;
  /** Elements as array_in reads them, each sealed. */
  readonly shape?: 'array';
  /** The rule's own default, no text of the client's: it reads alike in every session. */
  readonly isDefault?: true;
};

/** Forwarded byte for byte: names nothing hot. `text`: this statement's own part of the message. */
export type PassPlan = {
  readonly type: 'pass';
  readonly text: string;
  readonly named?: NamedUse;
  /** COPY FROM STDIN: data of the client follows. */
  readonly copiesIn?: boolean;
};
/** Forwarded, and changes what later statements mean (SET search_path, DDL, BEGIN..): the session re-reads its state after it. */
export type TrackPlan = {
  readonly type: 'track';
  readonly text: string;
  /** `elsewhere`: the catalog, but nothing that a name of anything sealed could come to mean. `anything`: settings and the catalog. */
  readonly effect: 'settings' | 'catalog' | 'elsewhere' | 'transaction' | 'anything';
  readonly named?: NamedUse;
};
/** Not forwarded: the client gets this error, in order and with the right transaction state. */
export type RefusePlan = {
  readonly type: 'refuse';
  readonly refusal: Refusal;
  /** Refused as a whole; one after the other its statements may be sent, each analysed when those ahead of it have run. */
  readonly oneByOne?: readonly MessageStatement[];
};

/** One of several statements of a Query. */
export type MessageStatement = {
  readonly text: string;
  /** UTF-16 index in the message's text. */
  readonly start: number;
  /** Characters of the message's text ahead of it: positions are counted from the beginning of the message. */
  readonly before: number;
  readonly act: StatementAct;
};
/**
 * What the place of a statement among others has to do with it. `begin`: opens a block. `commit`, `rollback`: end one. `within`: is an error outside
 * of a block that the client has opened (savepoints, AND CHAIN). `prepare`: PREPARE TRANSACTION. `copy-in`: reads data of the client.
 */
export type StatementAct = 'begin' | 'commit' | 'rollback' | 'within' | 'prepare' | 'copy-in' | 'other';
export type SealedPlan = {
  readonly type: 'sealed';
  /** Upstream SQL in pieces: text to send as it is, and literals to seal into `'\x..'::bytea` form. */
  readonly pieces: readonly (string | SealedLiteral)[];
  /** For each piece, the 1-based character position in the client's text where it was copied from or put. */
  readonly piecePlaces: readonly number[];
  /** By parameter number, from 1. Parameters not named here pass untouched. */
  readonly parameters: ReadonlyMap<number, SealedParameter>;
  /** What ParameterDescription reports for the parameters above: the logical type's OID (or its array's), or what the client declared. */
  readonly parameterOids: ReadonlyMap<number, number>;
  /** All columns whose keys the statement needs. */
  readonly columns: readonly SealedColumn[];
  /** By result column: how to open it, or undefined where it passes. Undefined as a whole: no rows, or none to open. */
  readonly results: readonly (SealedColumn | undefined)[] | undefined;
  /**
   * What RowDescription must say, column for column of `results`: the last check on reads. An origin that differs, or a count that differs,
   * means the server understood the statement otherwise: nothing is released.
   */
  readonly origins: readonly ResultOrigin[] | undefined;
  /** Sealed columns' places as RowDescription names them: a result column that is not to be opened must not come from one. */
  readonly forbiddenOrigins: ReadonlySet<string>;
  /** Relations read or written, for Bind-time revalidation: the plan is valid only while these OIDs are what the names resolve to. */
  readonly state: PlanState;
  /** DECLARE and PREPARE: `results` are then those of the cursor or statement, and come when it is used by its name. */
  readonly named?: NamedUse;
  /** COPY: its rows travel as CopyData. `results`, of COPY TO, are then its columns. */
  readonly copy?: CopyPlan;
  /** Of the first COPY FROM STDIN in a large message: the statements of that message, which are sent one after the other. */
  readonly among?: readonly MessageStatement[];
  /** FETCH of a BINARY cursor, in the simple protocol. */
  readonly binaryRows?: boolean;
  /** A query of the catalog that is shown logical types: it touches nothing sealed, and needs no catalog of ours. */
  readonly asksCatalog?: true;
  /** Of such a query: marks that the server answers with, and the texts that the client is shown in their place. */
  readonly shown?: ReadonlyMap<string, string>;
  /** As of a TrackPlan, where the statement calls set_config. */
  readonly effect?: TrackPlan['effect'];
  /** Relations that come to have sealed columns by it. */
  readonly makes?: readonly ComingRelation[];
};

/** What a statement does with the session's cursors and prepared statements, by name. */
export type NamedUse =
  | { readonly type: 'declare'; readonly name: string; readonly holds: boolean; readonly binary: boolean }
  | { readonly type: 'fetch' | 'move'; readonly name: string }
  /** No name: all. */
  | { readonly type: 'close'; readonly name: string | undefined }
  | { readonly type: 'deallocate'; readonly name: string | undefined }
  | { readonly type: 'discard' }
  | { readonly type: 'prepare'; readonly name: string; readonly statement: PreparedText }
  /** EXECUTE, also explained, or as what CREATE TABLE AS makes a table of. */
  | {
      readonly type: 'execute';
      readonly name: string;
      readonly within: 'itself' | 'explain' | 'create';
      readonly hasArguments: boolean;
    };

/** The statement of a PREPARE, as Parse would have been given it. */
export type PreparedText = {
  readonly sql: string;
  readonly declaredOids: readonly number[];
  /** How many arguments EXECUTE may give; undefined: that is left to the server. */
  readonly parameterCount?: number;
} & Pick<SealedPlan, 'pieces' | 'piecePlaces' | 'parameters' | 'parameterOids'> & {
    readonly effect: TrackPlan['effect'] | undefined;
  };

/** The data of a COPY FROM STDIN or COPY TO STDOUT. */
export type CopyPlan = {
  readonly direction: 'in' | 'out';
  readonly format: CopyFormat;
  /** As the server names it in CONTEXT. */
  readonly table: string;
  /** Of COPY FROM, the columns in the order of the data, and what is sealed of them. */
  readonly names: readonly string[];
  readonly fields: readonly (SealedParameter | undefined)[];
  /** Of COPY FROM: what the proxy adds to each row, after the client's columns. */
  readonly defaults?: readonly SealedLiteral[];
};

/** `column`: RowDescription names this relation and attribute. `expression`: it names none (0, 0). `any`: it is not checked. */
export type ResultOrigin =
  | { readonly type: 'column'; readonly relationOid: number; readonly attnum: number }
  | { readonly type: 'expression' }
  | { readonly type: 'any' };

/** How `forbiddenOrigins` spells a place. */
export function originKey(relationOid: number, attnum: number): string {
  return `${relationOid}.${attnum}`;
}

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
  readonly context?: string;
  readonly constraint?: ViolatedConstraint;
};
