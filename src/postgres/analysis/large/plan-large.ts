/** Plans of a large statement, with a catalog that is still the latest when it has been read, however long that took. */
import { MAX_STATEMENT_TOKENS } from '../../limits.ts';
import type { StatementPlan } from '../../plan.ts';
import type { CatalogSource } from '../catalog/source.ts';
import { AnalysisError } from '../errors.ts';
import type { LargeThread } from './large-thread.ts';
import type { LargeAnswer, LargeStatement } from './messages.ts';
import { isHeavy } from './weigh.ts';

/** A catalog that changes while each is read is none that a statement of this size can be planned with. */
const MAX_TRIES = 3;

export async function planLarge(
  thread: Pick<LargeThread, 'plan'>,
  source: CatalogSource,
  statement: LargeStatement,
): Promise<readonly StatementPlan[]> {
  if (await isHeavy(statement.sql, MAX_STATEMENT_TOKENS)) throw tooLarge('a statement to be analysed');
  await source.refresh().catch(() => undefined);
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { meaning } = source;
    const answer = await ask(thread, statement, source.requireCatalog());
    const looksForName = answer.missesName && tries === 0;
    try {
      await (looksForName ? source.reload() : source.refresh());
    } catch (error) {
      // Without the server only what names nothing hot is planned.
      if (!answer.isPlain) throw error;
    }
    if (!looksForName && source.meaning === meaning) return answer.plans;
  }
  throw new AnalysisError('ERR_POSTGRES_CATALOG', '57P03', 'the catalog changes faster than the statement is read');
}

async function ask(thread: Pick<LargeThread, 'plan'>, ...job: Parameters<LargeThread['plan']>): Promise<LargeAnswer> {
  try {
    return await thread.plan(...job);
  } catch (cause) {
    throw tooLarge('a statement to be analysed', cause);
  }
}

export function tooLarge(what: string, cause?: unknown): AnalysisError {
  const hint = 'Send it in several statements, with parameters for long values, or use COPY.';
  return new AnalysisError('ERR_POSTGRES_SEALED_STATEMENT', '54000', `${what} is too large`, -1, hint, { cause });
}
