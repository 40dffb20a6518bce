/**
 * pg_attrdef as clients are shown it: with the defaults that rules declare, which the server does not have. It is not told them here either:
 * it answers with a mark, and the proxy puts the text in its place on the way back.
 */
import { quoteLiteral } from '../../service/names.ts';
import { createHash } from 'node:crypto';
import type { LogicalType } from '../../plan.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { defaultText } from './default-text.ts';

/** A ruled column with its default. `stored`: pg_type.oid of what it has at rest. */
export type DefaultedColumn = { readonly rule: RuledColumn; readonly type: LogicalType; readonly stored: number };

/** Behind every OID that a cluster gives out in its first four thousand million. */
const FIRST_OID = 4_294_900_000;

/** Within it a blank: arrays and rows quote it, so that what comes in its place may have any character. */
export const MARK = 'sealgate default ';
const MARK_DIGITS = 24;
export const MARKS = new RegExp(`${MARK}[0-9a-f]{${MARK_DIGITS}}`, 'g');

/** Of a column (and of what of it is meant), not of its default: the server could try values against that. */
export function markOf({ schema, table, column }: RuledColumn, ...what: readonly string[]): string {
  const name = [schema, table, column, ...what].join('\u0000');
  return MARK + createHash('sha256').update(name).digest('hex').slice(0, MARK_DIGITS);
}

/** A relation's own OID and those of what it is a partition or child of: the rule is the topmost's. `relation`: its OID, as SQL. */
export function ancestorsOf(relation: string): string {
  return `(WITH RECURSIVE up(oid) AS (SELECT ${relation} UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up ON up.oid = i.inhrelid) SELECT up.oid FROM up)`;
}

const COLUMNS = ['nsp', 'rel', 'att', 'stored', 'id', 'mark', 'label'] as const;

/** A name that the query around it does not use. */
const OURS = 'sealgate_declared';

export class DeclaredDefaults {
  /** What stands for which text. */
  readonly texts = new Map<string, string>();
  readonly #rows: string;
  readonly #isEmpty: boolean;

  constructor(columns: readonly DefaultedColumn[]) {
    const rows = columns.map(({ rule, type, stored }, index) => {
      const shown = defaultText(rule.default ?? '', type);
      const mark = markOf(rule);
      this.texts.set(mark, shown.text);
      const names = [rule.schema, rule.table, rule.column].map((name) => `${quoteLiteral(name)}::name`);
      return [
        ...names,
        `${stored}::oid`,
        `${FIRST_OID + index}::oid`,
        `'${mark}'::text`,
        `${shown.labelOid ?? 'NULL'}::oid`,
      ];
    });
    this.#isEmpty = rows.length === 0;
    // Not VALUES, of which each look would compute all rows again.
    const columnOf = (at: number): string => `pg_catalog.unnest(ARRAY[${rows.map((row) => row[at]).join(', ')}])`;
    this.#rows = `ROWS FROM (${COLUMNS.map((_name, at) => columnOf(at)).join(', ')}) m(${COLUMNS.join(', ')})`;
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Whether the column of pg_attribute at hand, `s`, has one. */
  get ofAttribute(): string {
    return `EXISTS (SELECT 1 FROM ${this.#columns('m.att = s.attname AND m.stored = s.atttypid', 's.attrelid')})`;
  }

  /** In the place of pg_attrdef, in parentheses. */
  get relation(): string {
    return `(SELECT r.oid, r.adrelid, r.adnum, r.adbin FROM pg_catalog.pg_attrdef r UNION ALL SELECT d.id, d.attrelid, d.attnum, CAST(NULL AS pg_catalog.pg_node_tree) FROM ${this.#declared()} d)`;
  }

  /** What stands before pg_get_expr, which cannot tell of such a row; END behind it. `row`: how the query names its columns, with a point behind it. */
  textOr(row: string): string {
    return `CASE WHEN ${row}adbin IS NULL AND ${row}adrelid IS NOT NULL THEN (SELECT ${OURS}.shown FROM ${this.#declared()} ${OURS} WHERE ${OURS}.attrelid = ${row}adrelid AND ${OURS}.attnum = ${row}adnum LIMIT 1) ELSE `;
  }

  /** Every column that has one, also of partitions and children. */
  #declared(): string {
    const shown = `CASE WHEN m.label IS NULL THEN m.mark ELSE m.mark || '::' || pg_catalog.format_type(m.label, -1) END`;
    // From the attribute to its rule: where a query asks for one relation's, only those are looked at.
    return `(SELECT DISTINCT ON (a.attrelid, a.attnum) m.id, a.attrelid, a.attnum, ${shown} AS shown FROM pg_catalog.pg_attribute a, ${this.#columns('m.att = a.attname AND m.stored = a.atttypid AND NOT a.attisdropped', 'a.attrelid')})`;
  }

  #columns(condition: string, relation: string): string {
    return `${this.#rows} JOIN pg_catalog.pg_namespace n ON n.nspname = m.nsp JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.rel WHERE ${condition} AND c.oid IN ${ancestorsOf(relation)}`;
  }
}
