/** The way into the analysis: an analyzer of one database, ready to plan. */
import { PlanningAnalyzer } from './planning-analyzer.ts';
import type { AnalyzerOptions, StatementAnalyzer } from './statement-analyzer.ts';

export type { AnalyzerOptions, StatementAnalyzer } from './statement-analyzer.ts';

/** Loads the grammar and the first catalog snapshot. Rejects with ERR_POSTGRES_CATALOG where the catalog cannot be read. */
export async function createAnalyzer(options: AnalyzerOptions): Promise<StatementAnalyzer> {
  const analyzer = new PlanningAnalyzer(options);
  await analyzer.start();
  return analyzer;
}
