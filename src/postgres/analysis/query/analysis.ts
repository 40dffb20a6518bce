/** The state of the analysis of one statement, and the doors between its parts (which would otherwise import each other in circles). */
import { originKey, type SealedColumn } from '../../plan.ts';
import type { Catalog, Relation } from '../catalog/catalog.ts';
import type { Edit } from '../text/edits.ts';
import { ParameterRoles } from '../expressions/parameters.ts';
import type { Scope } from './scope.ts';
import type { SourceText } from '../text/source-text.ts';
import type { Node } from '../text/syntax.ts';
import type { OutputColumn, SealedValue, Value } from '../expressions/values.ts';

/** What a query's result column is to be: one into which constants and parameters are moulded, or nothing known. */
export type ExpectedColumn =
  | {
      readonly column: SealedColumn;
      readonly purpose: 'store' | 'choose' | 'both';
      /** Whether what its expression is called is what the result column is called. */
      readonly named: boolean;
    }
  | undefined;
export type ExpectedColumns = readonly ExpectedColumn[];

/** SELECT, VALUES, set operations, and data-modifying statements with RETURNING: gives the columns of the result. */
export type QueryAnalysis = (
  analysis: Analysis,
  query: Node,
  outer: Scope | undefined,
  expected?: ExpectedColumns,
) => readonly OutputColumn[];

/** What an expression yields. */
export type ExpressionAnalysis = (analysis: Analysis, node: Node, scope: Scope) => Value;

export type AnalysisInput = {
  readonly catalog: Catalog;
  readonly searchPath: readonly string[];
  readonly source: SourceText;
  readonly declaredOids: readonly number[];
  readonly analyzeQuery: QueryAnalysis;
  readonly analyzeExpression: ExpressionAnalysis;
  /** `view`: the definition of a view, printed by the server; no value of it can be sealed. */
  readonly within: 'statement' | 'view';
};

export class Analysis {
  readonly input: AnalysisInput;
  readonly catalog: Catalog;
  readonly source: SourceText;
  readonly parameters = new ParameterRoles();
  readonly edits: Edit[] = [];
  readonly #editOf = new Map<number, number>();
  /** What is edited only in the statement the server is asked about. */
  readonly shadowEdits: Edit[] = [];
  /** Relations named, by OID; where: the byte offset and length of each name in the text. */
  readonly relations = new Map<number, Relation>();
  readonly relationNames: { readonly relation: Relation; readonly start: number; readonly end: number }[] = [];
  /** Schemas written before a table's name in front of a column: `s.t.c`. */
  readonly schemaNames: { readonly relation: Relation; readonly start: number; readonly end: number }[] = [];
  /** Names of tables in the statement that were read as such, by their nodes. */
  readonly tablesRead = new WeakSet<object>();
  /** Columns read, written, compared or passed through. */
  readonly columns = new Map<string, SealedColumn>();
  /** Places of sealed columns that names in the statement resolved to: `relation.attnum`. */
  readonly references = new Set<string>();
  /** The same, where the statement only writes them. */
  readonly writes = new Set<string>();
  /** Parameters (`$1`) and constants (by byte offset) that may be text to the server, which a cast then makes the column's type of. */
  readonly texts = new Set<string | number>();
  /** A sealed value is cast to text, as the server's own casts do it. */
  castsToText = false;
  /** A number or string outside sealed positions decided something (an ordinal): the plan holds for this text alone. */
  literalsMatter = false;
  #later: (() => void)[] = [];

  constructor(input: AnalysisInput) {
    this.input = input;
    this.catalog = input.catalog;
    this.source = input.source;
  }

  query(node: Node, outer: Scope | undefined, expected?: ExpectedColumns): readonly OutputColumn[] {
    return this.input.analyzeQuery(this, node, outer, expected);
  }

  infer(node: Node, scope: Scope): Value {
    this.source.spend(1);
    return this.input.analyzeExpression(this, node, scope);
  }

  /** What can be said only when the whole statement has been read. */
  later(work: () => void): void {
    this.#later.push(work);
  }

  /** Once, when it has. */
  finish(): void {
    const works = this.#later;
    this.#later = [];
    for (const work of works) work();
  }

  /** A place that is edited again is edited otherwise. */
  edit(edit: Edit): void {
    const known = edit.end > edit.start ? this.#editOf.get(edit.start) : undefined;
    if (known !== undefined) {
      this.edits[known] = edit;
      return;
    }
    if (edit.end > edit.start) this.#editOf.set(edit.start, this.edits.length);
    this.edits.push(edit);
  }

  use(column: SealedColumn): void {
    for (const inside of column.carries?.columns ?? [column]) this.columns.set(inside.id, inside);
  }

  /** A name in the statement resolved to a sealed column (of a table, or of a view over one). */
  refer(value: SealedValue): void {
    this.use(value.column);
    if (value.origin.type === 'column') this.references.add(originKey(value.origin.relationOid, value.origin.attnum));
  }
}
