/**
 * A message of several statements of which a later one cannot be analysed before an earlier one has run: it is refused as a whole, with what is
 * needed to send its statements one after the other.
 */
import type { TransactionStmtKind } from 'libpg-query';
import type { MessageStatement, StatementAct, StatementPlan } from '../plan.ts';
import { AnalysisError } from './errors.ts';
import type { SourceText } from './text/source-text.ts';
import type { Node, RawStatement } from './text/syntax.ts';

/** ERR_POSTGRES_SEQUENCE. */
export class SequenceError extends AnalysisError {
  readonly oneByOne: readonly MessageStatement[];

  /** `location`: of the statement that has to wait. */
  constructor(statements: readonly RawStatement[], source: SourceText, location: number, cause: unknown) {
    super(
      'ERR_POSTGRES_SEQUENCE',
      '0A000',
      'a statement on sealed columns follows one in the same message that may change what it means',
      location,
      'Send them one after the other.',
      { cause },
    );
    this.oneByOne = messageStatements(statements, source);
  }
}

/** Beginning a transaction or a savepoint changes neither settings nor names. */
export function opensOnly(text: string): boolean {
  return /^\s*(?:begin|start\s+transaction|savepoint|release)\b/i.test(text);
}

export function messageStatements(
  statements: readonly RawStatement[],
  source: SourceText,
): readonly MessageStatement[] {
  return statements.map(({ node, start, end }) => ({
    text: source.slice(start, end),
    start: source.index(start),
    before: source.position(start) - 1,
    act: actOf(node),
  }));
}

/** Of a message that the main thread does not read again: COPY FROM STDIN of sealed columns among others gets what is needed to send them. */
export function withMessage(
  plans: readonly StatementPlan[],
  statements: readonly RawStatement[],
  source: SourceText,
): readonly StatementPlan[] {
  const first = plans.findIndex((plan) => plan.type === 'sealed' && plan.copy?.direction === 'in');
  if (first < 0 || statements.length === 1) return plans;
  const among = messageStatements(statements, source);
  return plans.map((plan, index) => (index === first && plan.type === 'sealed' ? { ...plan, among } : plan));
}

const ACTS: Readonly<Partial<Record<TransactionStmtKind, StatementAct>>> = {
  TRANS_STMT_BEGIN: 'begin',
  TRANS_STMT_START: 'begin',
  TRANS_STMT_COMMIT: 'commit',
  TRANS_STMT_ROLLBACK: 'rollback',
  TRANS_STMT_SAVEPOINT: 'within',
  TRANS_STMT_RELEASE: 'within',
  TRANS_STMT_ROLLBACK_TO: 'within',
  TRANS_STMT_PREPARE: 'prepare',
};

function actOf(node: Node): StatementAct {
  if ('CopyStmt' in node) {
    const { is_from: isFrom, is_program: isProgram, filename } = node.CopyStmt;
    return isFrom === true && isProgram !== true && filename === undefined ? 'copy-in' : 'other';
  }
  if (!('TransactionStmt' in node)) return 'other';
  const { kind, chain } = node.TransactionStmt;
  return chain === true ? 'within' : ((kind && ACTS[kind]) ?? 'other');
}
