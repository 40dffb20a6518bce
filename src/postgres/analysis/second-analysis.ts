/**
 * The server's own analysis of a statement, against the shadow: what types its parameters have, where its results come from, which
 * columns it refers to. Where it differs from ours, or gives no answer, the statement is refused.
 */
import type { LogicalType, SealedLiteral } from '../plan.ts';
import { clientPosition } from '../positions.ts';
import { ServiceError } from '../service/errors.ts';
import { quoteIdentifier } from '../service/names.ts';
import type { ShadowRelation, ShadowSource } from './catalog/shadow.ts';
import type { FittedText, StandInNames } from './catalog/stand-in-names.ts';
import { compareParameters, compareReferences, compareResults, placesOf } from './compare-opinions.ts';
import { AnalysisError } from './errors.ts';
import type { Analysis } from './query/analysis.ts';
import type { ServerAnswer, ServerAnswers } from './server-answers.ts';
import { serverReferences, type Added } from './server-references.ts';
import { requireServersOwn } from './servers-own.ts';
import { shadowStatement, type SecondOpinion, type ShadowStatement } from './shadow-statement.ts';

/** What the server knows better: the types of sealed results, and of the client's sealed parameters by number. */
export type Agreement = {
  readonly results: readonly (LogicalType | undefined)[];
  readonly parameterOids: ReadonlyMap<number, number>;
};

const NOTHING_HOT: Agreement = { results: [], parameterOids: new Map() };

/** Resolves when both agree. `answers`: of the statements of one message. Errors: ERR_POSTGRES_DISAGREEMENT, ERR_POSTGRES_CATALOG. */
export async function requireAgreement(
  shadows: ShadowSource,
  opinion: SecondOpinion,
  answers?: ServerAnswers,
): Promise<Agreement> {
  const { analysis, outputs } = opinion;
  const isHot = [...analysis.relations.values()].some(({ hot }) => hot);
  // The hot names in it turned out to be other relations; it goes upstream with their schemas written out, so they stay others.
  if (!isHot) return NOTHING_HOT;
  let place = -1;
  const compare = ({ description, shadowed }: DescribedAnswer): Agreement['results'] => {
    compareParameters(shadowStatement(opinion, shadowed), description);
    return compareResults(outputs, description, shadowed);
  };
  const ask = (): Promise<ServerAnswer> =>
    askServer(shadows, opinion, { described: compare, faulty: (found) => (place = found) });
  try {
    const known = answers?.of(analysis, shadowStatement(opinion, NO_SHADOWS), ask);
    const answer = await (known ?? ask());
    const results = compare(answer);
    compareReferences(analysis, placesOf(answer.columns, answer.shadowed));
    requireServersOwn(analysis, answer.added);
    const numbers = [...analysis.parameters.sealed.keys()];
    const parameters = numbers.map((number): [number, number] => [
      number,
      answer.description.parameterOids[number - 1] ?? 0,
    ]);
    return { results, parameterOids: new Map(parameters) };
  } catch (error) {
    throw asRefusal(error, place);
  }
}

const NO_SHADOWS: ReadonlyMap<number, ShadowRelation> = new Map();

type DescribedAnswer = Pick<ServerAnswer, 'description' | 'shadowed'>;

/** `described`: throws where it is not as expected; `faulty`: told where the server finds fault with it. */
async function askServer(
  shadows: ShadowSource,
  opinion: SecondOpinion,
  heard: { readonly described: (answer: DescribedAnswer) => unknown; readonly faulty: (place: number) => void },
): Promise<ServerAnswer> {
  const { analysis } = opinion;
  return await shadows.within(analysis, async (session, { relations: shadowed, names }) => {
    const statement = shadowStatement(opinion, shadowed);
    // What the statement calls unqualified is found where the client's session would find it.
    const { searchPath } = analysis.input;
    const fitted = await names.fit(statement.sql, searchPath);
    const oids = await names.standInOids(statement.oids);
    await session.query(SEARCH_PATH_SQL, [searchPathText(names.searchPath(searchPath))]);
    const answer = await session.describe(fitted.sql, oids).catch((error: unknown) => {
      heard.faulty(placeOf(error, fitted, statement, analysis));
      throw error;
    });
    const description = names.described(answer);
    heard.described({ description, shadowed });
    const { serverVersion } = analysis.catalog.facts;
    const hot = [...analysis.relations.values()].find((relation) => relation.hot);
    const described = { sql: fitted.sql, description: answer };
    const { columns, added } = await serverReferences(session, described, hot?.shadowSchema ?? '', serverVersion);
    return { description, columns, added: inOwnTypes(added, names), shadowed };
  });
}

function inOwnTypes(added: readonly Added[], names: StandInNames): readonly Added[] {
  return added.map((one) => ({ ...one, operands: one.operands.map((oid) => names.realOid(oid)) }));
}

const SEARCH_PATH_SQL = "SELECT set_config('search_path', $1, true)";

/** Temporary schemas are a session's own: the service connection's would be another one. */
function searchPathText(searchPath: readonly string[]): string {
  return searchPath
    .filter((schema) => !schema.startsWith('pg_temp'))
    .map(quoteIdentifier)
    .join(', ');
}

/** Where the server finds fault with the statement, as a byte offset of the client's text. */
function placeOf(error: unknown, fitted: FittedText, statement: ShadowStatement, { source }: Analysis): number {
  const cause: unknown = error instanceof ServiceError ? error.cause : error;
  const said = typeof cause === 'object' && cause !== null && 'position' in cause ? Number(cause.position) : 0;
  const position = clientPosition(fitted.positionBefore(said) ?? 0, statement);
  return position === undefined ? -1 : source.offset(position);
}

/** `location`: a byte offset. */
function asRefusal(error: unknown, location: number): unknown {
  if (!(error instanceof ServiceError)) return error;
  if (error.code === 'ERR_POSTGRES_SERVICE_QUERY') {
    const hint =
      'Run the statement without sealed columns to see what the server says; qualify names and add casts to parameters.';
    return new AnalysisError(
      'ERR_POSTGRES_DISAGREEMENT',
      error.sqlstate,
      `the server does not accept the statement (SQLSTATE ${error.sqlstate})`,
      location,
      hint,
    );
  }
  return new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the service connection to the database failed');
}

/** For type narrowing in tests and callers. */
export function isSealedLiteral(piece: string | SealedLiteral): piece is SealedLiteral {
  return typeof piece !== 'string';
}

/** Of the client's text, which no cache may keep. */
export function isClientLiteral(piece: string | SealedLiteral): piece is SealedLiteral {
  return isSealedLiteral(piece) && piece.isDefault !== true;
}
