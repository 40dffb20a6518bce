/** Plans on their way into a cache and out of it: whole, or as templates, where only the literals differ. */
import { LARGE_STATEMENT_BYTES } from '../limits.ts';
import type { StatementPlan } from '../plan.ts';
import type { Drafted } from './draft-statements.ts';
import type { PlanCache } from './plan-cache.ts';
import { isClientLiteral } from './second-analysis.ts';
import { normalizeText, type NormalizedText } from './text/normalize.ts';
import type { SourceText } from './text/source-text.ts';
import { instantiate, makeTemplate } from './text/template.ts';

/** `prefix`: all but the text that they depend on. */
export function knownPlans(
  cache: PlanCache,
  epoch: number,
  prefix: string,
  sql: string,
): readonly StatementPlan[] | undefined {
  cache.enter(epoch);
  const plans = cache.plans(prefix + sql);
  if (plans !== undefined) return plans;
  // Longer texts are not worth a place in the cache.
  const normalized = sql.length > LARGE_STATEMENT_BYTES ? undefined : normalizeText(sql);
  const template = normalized === undefined ? undefined : cache.template(prefix + normalized.key);
  if (normalized === undefined || template === undefined) return undefined;
  return [instantiate(template, sql, normalized)];
}

/** Texts with values of the client's stay out of it. */
export function keepPlans(
  cache: PlanCache,
  prefix: string,
  source: SourceText,
  { epoch, statements }: Drafted,
  plans: readonly StatementPlan[],
): void {
  const { sql } = source;
  // What is refused may be taken when it comes again.
  if (plans.some(({ type }) => type === 'refuse')) return;
  if (plans.every((plan) => plan.type !== 'sealed' || !plan.pieces.some(isClientLiteral))) {
    cache.keepPlans(epoch, prefix + sql, plans);
  }
  const [draft] = statements;
  const [plan] = plans;
  if (plans.length !== 1 || plan?.type !== 'sealed' || draft?.type !== 'draft' || draft.opinion.analysis.literalsMatter)
    return;
  const normalized: NormalizedText | undefined = normalizeText(sql);
  if (normalized === undefined || normalized.literals.length === 0) return;
  const template = makeTemplate(plan, source, normalized, draft.edits, draft.start, draft.end);
  if (template !== undefined) cache.keepTemplate(epoch, prefix + normalized.key, template);
}
