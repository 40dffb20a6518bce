/**
 * CHECKs that rules declare, as clients are shown them. The server has them by name, as CHECK (true), and is not told more here: it answers
 * with a mark, as for defaults, and the proxy puts the text in its place on the way back.
 */
import type { LogicalType } from '../../plan.ts';
import { quoteLiteral } from '../../service/names.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { checkText } from './check-text.ts';
import { ancestorsOf, markOf } from './declared-defaults.ts';
import { logicalTypeOf } from './logical-attributes.ts';

export type CheckedColumn = { readonly rule: RuledColumn; readonly type: LogicalType };

const COLUMNS = ['nsp', 'rel', 'att', 'con', 'mark', 'pretty'] as const;

const OURS = 'sealgate_asked';

export class DeclaredChecks {
  /** What stands for which text. */
  readonly texts = new Map<string, string>();
  readonly isEmpty: boolean;
  readonly #rows: string;

  constructor(columns: readonly CheckedColumn[]) {
    const rows = columns.flatMap(({ rule, type }) =>
      (rule.checks ?? []).flatMap(({ name, expression }) => {
        const shown = checkText(expression, rule.column, type);
        if (shown === undefined) return [];
        const [mark, pretty] = [markOf(rule, 'check', name), markOf(rule, 'pretty check', name)];
        this.texts.set(mark, shown.plain).set(pretty, shown.pretty);
        const names = [rule.schema, rule.table, rule.column, name].map((part) => `${quoteLiteral(part)}::name`);
        return [[...names, `'${mark}'::text`, `'${pretty}'::text`]];
      }),
    );
    this.isEmpty = rows.length === 0;
    const columnOf = (at: number): string => `pg_catalog.unnest(ARRAY[${rows.map((row) => row[at]).join(', ')}])`;
    this.#rows = `ROWS FROM (${COLUMNS.map((_name, at) => columnOf(at)).join(', ')}) m(${COLUMNS.join(', ')})`;
  }

  /** The mark of a constraint, or NULL. `id`: pg_constraint.oid; `pretty`: a condition, both as SQL. */
  markOf(id: string, pretty: string): string {
    // Where they are computed none of our names is seen, which the query may have too.
    const asked = `(SELECT ${id}, ${pretty}) ${OURS}(id, pretty)`;
    const of = this.#of(`k.oid = ${OURS}.id`, 'k.conrelid');
    return `(SELECT CASE WHEN ${OURS}.pretty THEN m.pretty ELSE m.mark END FROM ${asked}, pg_catalog.pg_constraint k, ${of} AND k.conname = m.con AND k.contype = 'c' AND pg_catalog.pg_get_expr(k.conbin, k.conrelid) = 'true' LIMIT 1)`;
  }

  /** In the place of pg_constraint, in parentheses: the column that such a CHECK is about. `columns`: of pg_constraint, in order. */
  relation(columns: readonly string[]): string {
    const of = this.#of(`m.con = s.conname`, 's.conrelid');
    const key = `(SELECT ARRAY[a.attnum] FROM ${of} AND s.contype = 'c' AND s.conkey IS NULL LIMIT 1)`.replace(
      ' WHERE ',
      ' JOIN pg_catalog.pg_attribute a ON a.attrelid = s.conrelid AND a.attname = m.att WHERE ',
    );
    const shown = columns.map((column) =>
      column === 'conkey' ? `coalesce(s.conkey, ${key}) AS conkey` : `s.${column}`,
    );
    return `(SELECT ${shown.join(', ')} FROM pg_catalog.pg_constraint s)`;
  }

  #of(condition: string, relation: string): string {
    return `${this.#rows} JOIN pg_catalog.pg_namespace n ON n.nspname = m.nsp JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.rel WHERE ${condition} AND c.oid IN ${ancestorsOf(relation)}`;
  }
}

const CHECKS = new WeakMap<Catalog, DeclaredChecks>();

export function declaredChecks(catalog: Catalog): DeclaredChecks {
  const known = CHECKS.get(catalog);
  if (known !== undefined) return known;
  const rules = [...catalog.rules.values()].flatMap((columns) => [...columns.values()]);
  const made = new DeclaredChecks(
    rules.flatMap((rule) => {
      const type = rule.checks === undefined ? undefined : logicalTypeOf(rule, catalog);
      return type === undefined ? [] : [{ rule, type }];
    }),
  );
  CHECKS.set(catalog, made);
  return made;
}
