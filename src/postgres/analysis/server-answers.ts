/**
 * What the server says of the statements of one message. Those that differ in literals alone, of which it is shown no sealed ones, are one statement to it: a
 * script of thousands of INSERTs asks it once.
 */
import { hash } from 'node:crypto';
import type { StatementDescription } from '../service/describe.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { ShadowRelation } from './catalog/shadow.ts';
import type { Analysis } from './query/analysis.ts';
import type { ServerReferences } from './server-references.ts';
import { normalizeText } from './text/normalize.ts';

/** In the terms of the client's session; relations are those of `shadowed`. */
export type ServerAnswer = ServerReferences & {
  readonly description: StatementDescription;
  readonly shadowed: ReadonlyMap<number, ShadowRelation>;
};

/** As plans are shared by statements that come one by one (`kept-plans.ts`). A backslash may end a string or not. */
const sharedText = (sql: string): string => (sql.includes('\\') ? sql : (normalizeText(sql)?.key ?? sql));

export class ServerAnswers {
  readonly #byCatalog = new Map<Catalog, Map<string, ServerAnswer>>();

  /** `statement`: as the server would be asked, but for the names of what stands in for relations. Rejects as `ask` does, and keeps nothing. */
  async of(
    { catalog, input, relations, literalsMatter }: Analysis,
    { sql, oids }: { readonly sql: string; readonly oids: readonly number[] },
    ask: () => Promise<ServerAnswer>,
  ): Promise<ServerAnswer> {
    const answers = this.#byCatalog.get(catalog) ?? new Map<string, ServerAnswer>();
    this.#byCatalog.set(catalog, answers);
    const named = [...relations.values()].map(({ oid, hot }) => [oid, hot]);
    const text = literalsMatter ? sql : sharedText(sql);
    // Not the text itself: there may be thousands of long ones.
    const key = hash('sha256', JSON.stringify([text, oids, input.searchPath, named]), 'base64');
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = await ask();
    answers.set(key, answer);
    return answer;
  }
}
