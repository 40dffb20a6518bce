/** One schema change on its way through the analysis: what of its text is written otherwise upstream. */
import type { RangeVar } from 'libpg-query';
import type { ComingRelation } from '../catalog/catalog.ts';
import type { SealedPlan } from '../../plan.ts';
import { quoteQualified } from '../../service/names.ts';
import { rewrittenPlan, type PlanningContext } from '../draft-query.ts';
import type { Edit } from '../text/edits.ts';
import { trimmed, type Span } from '../text/inner-query.ts';
import type { SourceText } from '../text/source-text.ts';
import { locationOf, type RawStatement } from '../text/syntax.ts';
import { userSchemas, type DdlTable } from './tables.ts';

export class DdlStatement {
  readonly context: PlanningContext;
  readonly source: SourceText;
  readonly span: Span;
  readonly #edits: Edit[] = [];
  readonly #makes: ComingRelation[] = [];

  constructor(statement: RawStatement, context: PlanningContext) {
    this.context = context;
    this.source = context.source;
    this.span = trimmed(context.source, statement);
  }

  replace({ start, end }: Span, replacement: string): void {
    this.#edits.push({ start, end, replacement });
  }

  /** Upstream a table that has a rule, or is hot, is named with its schema: the name means there what it means here. */
  qualify(name: RangeVar, table: DdlTable | undefined): void {
    const start = locationOf(name);
    const first = this.source.tokenAt(start);
    if (table === undefined || first === undefined || name.schemaname !== undefined) return;
    this.replace({ start, end: this.source.tokens[first]?.end ?? start }, quoteQualified(table.schema, table.name));
  }

  /** A name of which it is known what relation it means. */
  replaceName(span: Span, schema: string, name: string): void {
    this.replace(span, quoteQualified(schema, name));
  }

  /** `rules`: of its columns, where they are known. */
  makes({ schemaname, relname = '', relpersistence }: RangeVar, rules?: ComingRelation['rules']): void {
    const schema = relpersistence === 't' ? 'pg_temp' : (schemaname ?? userSchemas(this.context)[0] ?? '');
    this.#makes.push({ schema, name: relname, rules });
  }

  plan(): SealedPlan {
    return {
      ...rewrittenPlan(this.context, this.span, this.#edits),
      effect: 'catalog',
      ...(this.#makes.length > 0 && { makes: this.#makes }),
    };
  }
}
