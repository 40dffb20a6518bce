/**
 * DO blocks as migration tools write them (drizzle-kit): one ALTER TABLE that may have been made before. The whole of such a block is known by its
 * text: what it runs is that statement and nothing else, which is analysed and rewritten as if it stood alone.
 */
import type { DoStmt } from 'libpg-query';
import type { SealedPlan } from '../../plan.ts';
import type { PlanningContext } from '../draft-query.ts';
import { AnalysisError } from '../errors.ts';
import { hotTable, refuseByName, survey } from '../survey.ts';
import { trimmed } from '../text/inner-query.ts';
import { SourceText } from '../text/source-text.ts';
import { namesOf, parseStatements, type RawStatement } from '../text/syntax.ts';
import { draftDdl } from './draft-ddl.ts';

const QUOTED = /^(\$\w*\$)([\s\S]*)\1$/u;
const BLOCK =
  /^(\s*BEGIN\s+)([^;]+)(;\s*EXCEPTION\s+WHEN\s+duplicate_(?:object|column)\s+THEN\s+NULL\s*;\s*END\s*;?\s*)$/iu;

/** Undefined: it is another block, of which it is not known what it does. Throws AnalysisError as the statement in it would. */
export function draftDoBlock(statement: RawStatement, block: DoStmt, context: PlanningContext): SealedPlan | undefined {
  const body = bodyOf(statement, block, context.source);
  if (body === undefined) return undefined;
  const { quote, before, sql, after, start } = body;
  try {
    const plan = draftAlone(sql, context);
    const text = plan?.pieces.filter((piece) => typeof piece === 'string') ?? [];
    if (plan === undefined || text.length !== plan.pieces.length || text.join('').includes(quote)) return undefined;
    const place = context.source.position(start);
    return {
      ...plan,
      pieces: [`DO LANGUAGE plpgsql ${quote}${before}`, ...text, `${after}${quote}`],
      piecePlaces: [place, ...plan.piecePlaces.map((at) => at + place - 1), place],
    };
  } catch (error) {
    if (!(error instanceof AnalysisError) || error.location < 0) throw error;
    const { code, refusal, message, location } = error;
    throw new AnalysisError(code, refusal.sqlstate, message, location + start, refusal.hint, { cause: error });
  }
}

type Body = {
  readonly quote: string;
  readonly before: string;
  /** The statement without its semicolon, and where it starts in the source: a byte offset. */
  readonly sql: string;
  readonly start: number;
  readonly after: string;
};

function bodyOf(statement: RawStatement, { args = [] }: DoStmt, source: SourceText): Body | undefined {
  const language = args.flatMap((arg) =>
    'DefElem' in arg && arg.DefElem.defname === 'language' && arg.DefElem.arg ? namesOf([arg.DefElem.arg]) : [],
  );
  if (language.some((name) => name !== 'plpgsql')) return undefined;
  const span = trimmed(source, statement);
  const strings = source.tokens.filter(
    ({ start, end, tokenName }) => start >= span.start && end <= span.end && tokenName === 'SCONST',
  );
  // The language may be a string, too.
  const token = strings.find(({ start, end }) => source.slice(start, end).startsWith('$'));
  if (token === undefined) return undefined;
  const [, quote = '', text = ''] = QUOTED.exec(source.slice(token.start, token.end)) ?? [];
  const [, before = '', sql = '', after = ''] = BLOCK.exec(text) ?? [];
  if (sql === '') return undefined;
  return { quote, before, sql, after, start: token.start + Buffer.byteLength(quote + before) };
}

/** Undefined where it is no ALTER TABLE of a table with rules by itself. */
function draftAlone(sql: string, context: PlanningContext): SealedPlan | undefined {
  const source = new SourceText(sql);
  const [statement, ...more] = parseStatements(sql, source.byteLength);
  if (statement === undefined || more.length > 0 || !('AlterTableStmt' in statement.node)) return undefined;
  // In a comment the block's own words may stand.
  if (source.comments.length > 0) return undefined;
  const found = survey(statement.node);
  refuseByName(found, context.catalog);
  return hotTable(found, context.catalog) && draftDdl(statement, { ...context, source });
}
