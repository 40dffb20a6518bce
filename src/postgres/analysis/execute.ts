/** EXECUTE of a prepared statement with sealed parameters: its arguments are constants, sealed as the parameters would be. */
import type { A_Const, ExecuteStmt } from 'libpg-query';
import type { SealedLiteral, SealedParameter, SealedPlan } from '../plan.ts';
import { Analysis } from './query/analysis.ts';
import type { Catalog } from './catalog/catalog.ts';
import { isList } from './text/edits.ts';
import { constantSpan } from './expressions/constants.ts';
import { piecesOf } from './draft-query.ts';
import { refuseStatement, refuseSyntax, refuseUse, requireNoParameters } from './errors.ts';
import { analyzeExpression } from './expressions/expressions.ts';
import { mould, nodeLocation } from './expressions/mould.ts';
import { analyzeQuery } from './query/queries.ts';
import { Scope } from './query/scope.ts';
import { refuseNewerNumbers } from './text/newer-numbers.ts';
import { SourceText } from './text/source-text.ts';
import { trimmed, type Span } from './text/inner-query.ts';
import { parseStatements, type Node, type RawStatement } from './text/syntax.ts';

const NUMERIC = 1700;

/** The text to send for `sql`, one statement. Throws AnalysisError where an argument cannot be sealed. */
export function executeText(
  sql: string,
  parameters: ReadonlyMap<number, SealedParameter>,
  catalog: Catalog,
  parameterCount?: number,
): Pick<SealedPlan, 'pieces' | 'piecePlaces'> {
  const source = new SourceText(sql);
  refuseNewerNumbers(source, 0, source.byteLength, catalog.facts.serverVersion);
  const [statement] = parseStatements(sql, source.byteLength);
  const execute = statement && executeOf(statement.node);
  if (statement === undefined || execute === undefined) throw refuseStatement('this form of EXECUTE', -1);
  if (parameterCount === 0 && execute.params !== undefined) return withoutArguments(source, statement);
  // One more would stand in the server's log with its error.
  if (execute.params !== undefined && execute.params.length > (parameterCount ?? Infinity))
    throw refuseSyntax(`wrong number of parameters for prepared statement "${execute.name ?? ''}"`, -1);
  const analysis = new Analysis({
    catalog,
    searchPath: [],
    source,
    declaredOids: [],
    analyzeQuery,
    analyzeExpression,
    within: 'statement',
  });
  execute.params?.forEach((argument, index) => {
    const parameter = parameters.get(index + 1);
    if (parameter !== undefined) sealArgument(analysis, argument, parameter);
  });
  requireNoParameters(analysis.parameters.sealed);
  const edits = analysis.edits.map((edit) => ({ ...edit }));
  return piecesOf(source, trimmed(source, statement), edits);
}

/** The server looks at none of them where the statement has no parameters, but logs them. */
function withoutArguments(source: SourceText, statement: RawStatement): Pick<SealedPlan, 'pieces' | 'piecePlaces'> {
  const span = trimmed(source, statement);
  const isExecute = ({ start, end }: Span): boolean =>
    start >= span.start && source.slice(start, end).toLowerCase() === 'execute';
  const name = source.tokens.findIndex(isExecute) + 1;
  return piecesOf(source, { start: span.start, end: source.tokens[name]?.end ?? span.end }, []);
}

function executeOf(node: Node): ExecuteStmt | undefined {
  if ('ExecuteStmt' in node) return node.ExecuteStmt;
  return 'ExplainStmt' in node && node.ExplainStmt.query !== undefined ? executeOf(node.ExplainStmt.query) : undefined;
}

function sealArgument(analysis: Analysis, argument: Node, parameter: SealedParameter): void {
  if (parameter.shape === 'array') return sealArray(analysis, argument, parameter);
  const { column, purpose = 'store', declaredOid, cast } = parameter;
  const before = analysis.edits.length;
  mould(analysis, argument, new Scope(undefined), column, purpose);
  for (let at = before; at < analysis.edits.length; at++) {
    const edit = analysis.edits[at];
    if (edit === undefined || typeof edit.replacement === 'string' || isList(edit.replacement)) continue;
    requireExact(edit.replacement, parameter, nodeLocation(argument));
    // A string is read as the parameter's type.
    const oid = edit.replacement.declaredOid ?? declaredOid;
    const read = { ...(oid !== undefined && { declaredOid: oid }), ...(cast !== undefined && { cast }) };
    analysis.edits[at] = { ...edit, replacement: { ...edit.replacement, ...read } };
  }
}

/** The server casts an argument to the parameter's type first, which rounds. */
function requireExact(literal: SealedLiteral, { column, declaredOid }: SealedParameter, location: number): void {
  if (literal.declaredOid !== NUMERIC || (declaredOid ?? column.type.oid) === NUMERIC) return;
  throw refuseUse(
    'a number that the parameter would round is not supported for a sealed column',
    location,
    'Write the rounded number.',
  );
}

function sealArray(analysis: Analysis, argument: Node, { column, purpose, declaredOid }: SealedParameter): void {
  const constant: A_Const | undefined = 'A_Const' in argument ? argument.A_Const : undefined;
  if (constant?.isnull === true) return;
  if (constant?.sval === undefined)
    throw refuseUse(
      'an array for sealed values is written as one string here',
      nodeLocation(argument),
      "Write '{a,b}'.",
    );
  const use = { ...(purpose !== undefined && { purpose }), ...(declaredOid !== undefined && { declaredOid }) };
  const replacement: SealedLiteral = { column, value: constant.sval.sval ?? '', shape: 'array', ...use };
  analysis.edit({ ...constantSpan(analysis.source, constant), replacement });
}
