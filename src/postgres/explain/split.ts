/** A text of several statements, as psql would send them: one after the other. Each keeps its own text. */
import { AnalysisError } from '../analysis/errors.ts';
import { SourceText } from '../analysis/text/source-text.ts';
import { parseStatements, scanTokens } from '../analysis/text/syntax.ts';

/** Statements in order, without the semicolons between them. One that the grammar does not take keeps its place among the others. */
export function splitStatements(text: string): readonly string[] {
  const source = new SourceText(text);
  return (spansByGrammar(source) ?? spansBySemicolon(source) ?? [{ start: 0, end: source.byteLength }])
    .map(({ start, end }) => source.slice(start, end).trim())
    .filter((sql) => sql !== '');
}

type Span = { readonly start: number; readonly end: number };

/** Undefined: something in it does not parse. */
function spansByGrammar({ sql, byteLength }: SourceText): readonly Span[] | undefined {
  try {
    return parseStatements(sql, byteLength);
  } catch (error) {
    if (error instanceof AnalysisError) return undefined;
    throw error;
  }
}

const ENDS: Readonly<Record<string, -1 | 1>> = { '(': 1, ')': -1 };

/** Undefined: not even its words can be told apart. */
function spansBySemicolon({ sql, byteLength }: SourceText): readonly Span[] | undefined {
  const spans: Span[] = [];
  const source = new SourceText(sql);
  let start = 0;
  let depth = 0;
  try {
    for (const token of scanTokens(sql)) {
      const word = source.slice(token.start, token.end);
      depth = Math.max(0, depth + (ENDS[word] ?? 0));
      if (word !== ';' || depth > 0) continue;
      spans.push({ start, end: token.start });
      start = token.end;
    }
  } catch {
    return undefined;
  }
  return [...spans, { start, end: byteLength }];
}
