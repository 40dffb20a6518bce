/**
 * What real applications sent (`captured/`, by `capture.ts`), message for message through the proxy on sealed columns and straight on plain
 * ones: the same answers, or a refusal that docs/ORM-CONFORMANCE.md lists with its reason.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgres, type TestPostgres } from '../support/postgres/postgres.ts';
import { openSearchedDatabase } from '../support/postgres/sealed-database.ts';
import { APPLICATIONS } from './applications.ts';
import type { Captured } from './exchange.ts';
import { ormPage, type Found } from './page.ts';
import { openSide, replay } from './replay.ts';
import { ddl, RULES } from './shop.ts';

let server: TestPostgres;
beforeAll(async () => {
  server = await startPostgres(['timezone=UTC']);
});
afterAll(() => server.stop());

const found: Found[] = [];

async function captured(name: string): Promise<Captured> {
  const text = await readFile(join(import.meta.dirname, 'captured', `${name}.json`), 'utf8');
  return JSON.parse(text) as Captured; // as capture.ts writes it
}

describe.each(APPLICATIONS)('$title', ({ name }) => {
  test('is answered as by plain columns, or refused', async () => {
    const what = await captured(name);
    const database = name.replaceAll('-', '_');
    const db = await openSearchedDatabase(server, database, ddl(true), RULES);
    const twinUrl = await db.openTwin();
    const [sealed, plain] = [await openSide(db.url, what), await openSide(twinUrl, what)];
    try {
      await plain.run(ddl(false));
      const outcomes = await replay(what, sealed, plain);
      for (const { exchange, isRefused, ours, theirs } of outcomes) {
        if (isRefused) continue;
        expect({ sent: exchange.sent, answer: ours }).toEqual({ sent: exchange.sent, answer: theirs });
      }
      // What was captured is what ran: refused writes aside, the plain side took and refused what it did then.
      const strange = outcomes.filter(
        ({ exchange, isRefused, theirs }) => !isRefused && theirs.error !== exchange.failed,
      );
      expect(strange.map(({ exchange, theirs }) => ({ ...exchange, now: theirs.error }))).toEqual([]);
      expect(await sealed.rows()).toEqual(await plain.rows());
      found.push({ application: what.application, outcomes });
    } finally {
      sealed.end();
      plain.end();
      await db.close();
    }
  });
});

test('docs/ORM-CONFORMANCE.md says what was found (npm test -- test/captured-sql -u writes it)', async () => {
  expect(found).toHaveLength(APPLICATIONS.length);
  await expect(ormPage(found)).toMatchFileSnapshot('../../docs/ORM-CONFORMANCE.md');
});
