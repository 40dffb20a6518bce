/** Plans of what was drafted, once the server has agreed. */
import type { SealedPlan, StatementPlan } from '../plan.ts';
import type { ShadowSource } from './catalog/shadow.ts';
import type { Drafted } from './draft-statements.ts';
import { inNumber } from './compare-opinions.ts';
import { resultsOf } from './draft-query.ts';
import { acceptsType } from './expressions/constants.ts';
import type { OutputColumn } from './expressions/values.ts';
import { placed } from './placed.ts';
import type { DraftPlan } from './plan-statement.ts';
import { refusePlan } from './refuse-plan.ts';
import { requireAgreement, type Agreement } from './second-analysis.ts';
import { ServerAnswers } from './server-answers.ts';
import type { SourceText } from './text/source-text.ts';
import { elementType } from './text/syntax.ts';

/** Up to the first that is refused, and that refusal. Errors, of the first of all: as requireAgreement. */
export async function confirmDrafts(
  shadows: ShadowSource,
  { statements, refused }: Drafted,
  source: SourceText,
): Promise<readonly StatementPlan[]> {
  const plans: StatementPlan[] = [];
  const answers = statements.length > 1 ? new ServerAnswers() : undefined;
  for (const draft of statements) {
    try {
      plans.push(draft.type === 'draft' ? await agreed(shadows, draft, answers) : draft);
    } catch (error) {
      if (plans.length === 0) throw error;
      return [...plans, refusePlan(error, source)];
    }
  }
  return refused === undefined ? plans : [...plans, refusePlan(refused, source)];
}

async function agreed(
  shadows: ShadowSource,
  { plan, opinion }: DraftPlan,
  answers: ServerAnswers | undefined,
): Promise<SealedPlan> {
  const agreement = await requireAgreement(shadows, opinion, answers).catch((error: unknown) => {
    throw placed(error, opinion.start);
  });
  return withTypes(inPlace(plan, opinion.outputs, agreement), agreement);
}

/** Where a star stands for columns that only the server can count, the others have other places. */
function inPlace(plan: SealedPlan, outputs: readonly OutputColumn[], { results }: Agreement): SealedPlan {
  const counted = inNumber(outputs, results.length);
  if (counted === outputs || plan.results === undefined) return plan;
  const { copy } = plan;
  return { ...plan, ...resultsOf(counted), ...(copy && { copy: { ...copy, names: counted.map(({ name }) => name) } }) };
}

/** The plan with types as the server gives them: an expression over a column may have another, and so may what a column is compared with. */
function withTypes(plan: SealedPlan, { results: types, parameterOids: oids }: Agreement): SealedPlan {
  const results = plan.results?.map((column, index) => {
    const type = types[index];
    return column && type && { ...column, storedType: column.storedType ?? column.type, type };
  });
  const { named } = plan;
  // Of a PREPARE, the parameters are those of what it prepares.
  if (named?.type !== 'prepare') return { ...plan, results, ...withParameterTypes(plan, oids) };
  const statement = { ...named.statement, ...withParameterTypes(named.statement, oids) };
  return { ...plan, results, named: { ...named, statement } };
}

type Parameters = Pick<SealedPlan, 'parameters' | 'parameterOids'>;

function withParameterTypes(before: Parameters, oids: ReadonlyMap<number, number>): Parameters {
  const parameters = new Map(before.parameters);
  const parameterOids = new Map(before.parameterOids);
  for (const [number, oid] of oids) {
    const parameter = parameters.get(number);
    if (parameter === undefined || oid === parameterOids.get(number)) continue;
    // Text that a cast reads stays what the column takes.
    const element = parameter.shape === 'array' ? elementType(oid, 'array')?.oid : oid;
    if (element === undefined || !acceptsType(parameter.column.type, element, parameter.purpose ?? 'store')) continue;
    parameterOids.set(number, oid);
    parameters.set(number, { ...parameter, declaredOid: oid });
  }
  return { parameters, parameterOids };
}
