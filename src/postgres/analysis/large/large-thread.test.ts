/** The thread that reads large statements, itself: what comes of one that takes too long. */
import { expect, test } from 'vitest';
import { CATALOG, SETTINGS } from '../../../../test/support/postgres/analysis.ts';
import { LargeThread } from './large-thread.ts';
import type { RemoteService } from './remote-service.ts';

const unasked = (): Promise<never> => Promise.reject(new Error('not asked'));
const SERVICE: RemoteService = { transaction: unasked, dryRun: unasked };
const statement = (sql: string) => ({ sql, declaredOids: [], settings: SETTINGS, seesPhysicalTypes: false });

test('a statement that takes too long is given up, and the next one is read', async () => {
  const sum = statement(`SELECT ${'1 + '.repeat(20_000)}1`);
  const impatient = new LargeThread(SERVICE, 1);
  await expect(impatient.plan(sum, CATALOG)).rejects.toThrow('the thread has ended');
  await expect(impatient.plan(sum, CATALOG)).rejects.toThrow('the thread has ended');
  impatient.close();

  const patient = new LargeThread(SERVICE);
  const queued = [patient.plan(statement('SELECT 1'), CATALOG), patient.plan(statement('SELECT 2'), CATALOG)];
  expect((await Promise.all(queued)).map(({ plans }) => plans)).toMatchObject([[{ type: 'pass' }], [{ type: 'pass' }]]);
  patient.close();
});
