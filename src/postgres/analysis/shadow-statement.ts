/**
 * A statement as the server is asked about it: over the shadows of its relations.
 *
 * Invariant: no sealed literal is in it; each stands as a parameter.
 */
import { MAX_DESCRIBED_PARAMETERS } from '../limits.ts';
import type { SealedPlan } from '../plan.ts';
import { quoteIdentifier, quoteQualified } from '../service/names.ts';
import type { ShadowRelation } from './catalog/shadow.ts';
import { AnalysisError } from './errors.ts';
import type { ParameterUse } from './expressions/parameters.ts';
import type { OutputColumn } from './expressions/values.ts';
import type { Analysis } from './query/analysis.ts';
import { isList, splice, type Edit } from './text/edits.ts';

export type SecondOpinion = {
  readonly analysis: Analysis;
  /** Byte offsets of the query itself (without EXPLAIN). */
  readonly start: number;
  readonly end: number;
  readonly outputs: readonly OutputColumn[];
};

export type ShadowStatement = {
  readonly sql: string;
  readonly oids: readonly number[];
  readonly expected: ReadonlyMap<number, ExpectedParameter>;
} & Pick<SealedPlan, 'pieces' | 'piecePlaces'>;

/** `text`: it may be text as well, as any value is before it is cast. */
type ExpectedParameter = Omit<ParameterUse, 'location' | 'cast'> & { readonly text: boolean };

/** The statement over the shadow, every sealed literal a parameter after the client's own. */
export function shadowStatement(
  { analysis, start, end }: SecondOpinion,
  shadowed: ReadonlyMap<number, ShadowRelation>,
): ShadowStatement {
  const expected = new Map<number, ExpectedParameter>();
  const oids: number[] = [...analysis.input.declaredOids];
  let next = oids.length;
  for (const number of [...analysis.parameters.sealed.keys(), ...analysis.parameters.plain])
    next = Math.max(next, number);
  for (const [number, use] of analysis.parameters.sealed)
    expected.set(number, { ...use, text: analysis.texts.has(`$${number}`) });
  const edits: Edit[] = [...analysis.shadowEdits];
  const seen = new Set<number>();
  for (const edit of analysis.edits) {
    if (typeof edit.replacement === 'string' || isList(edit.replacement) || seen.has(edit.start)) continue;
    seen.add(edit.start);
    next += 1;
    const { column, purpose = 'store', shape = 'scalar', declaredOid } = edit.replacement;
    expected.set(next, { column, purpose, shape, declaredOid, text: analysis.texts.has(edit.start) });
    while (oids.length < next) oids.push(0);
    oids[next - 1] = edit.constantOid ?? 0;
    edits.push({ ...edit, replacement: `$${next}` });
  }
  if (next > MAX_DESCRIBED_PARAMETERS) throw tooMany();
  for (const { relation, start: from, end: to } of analysis.relationNames) {
    const schema = shadowed.get(relation.oid)?.schema ?? relation.schema;
    edits.push({ start: from, end: to, replacement: quoteQualified(schema, relation.name) });
  }
  for (const { relation, start: from, end: to } of analysis.schemaNames) {
    const schema = shadowed.get(relation.oid)?.schema;
    if (schema === undefined) continue;
    edits.push({ start: from, end: to, replacement: quoteIdentifier(schema) });
  }
  const { pieces, places } = splice(analysis.source, start, end, edits);
  const sql = pieces.filter((piece): piece is string => typeof piece === 'string').join('');
  return { sql, oids, expected, pieces, piecePlaces: places };
}

function tooMany(): AnalysisError {
  return new AnalysisError(
    'ERR_POSTGRES_SEALED_STATEMENT',
    '54000',
    `a statement on sealed columns may have at most ${MAX_DESCRIBED_PARAMETERS} parameters and sealed constants`,
    -1,
    'Send it in several statements of fewer rows.',
  );
}
