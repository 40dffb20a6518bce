import { expect, test } from 'vitest';
import type { ServiceSession } from '../../service/connection.ts';
import { ServedSessions } from './served-sessions.ts';
import type { RemoteService } from './remote-service.ts';

const SESSION: ServiceSession = {
  query: () => Promise.resolve([]),
  describe: () => Promise.resolve({ parameterOids: [], fields: [] }),
};

/** A connection that is free once it is let go. */
function heldUp(): { readonly service: RemoteService; readonly letGo: () => void; readonly outcomes: string[] } {
  const outcomes: string[] = [];
  const { promise: free, resolve: letGo } = Promise.withResolvers<void>();
  const within: RemoteService['transaction'] = async (work) => {
    await free;
    const result = work(SESSION);
    await result.then(
      () => outcomes.push('committed'),
      () => outcomes.push('taken back'),
    );
    return result;
  };
  return { service: { transaction: within, dryRun: within }, letGo, outcomes };
}

test('a transaction that begins when the thread is gone is taken back: it used to be held open for ever', async () => {
  const { service, letGo, outcomes } = heldUp();
  const sessions = new ServedSessions(service);
  void sessions.answer({ what: 'begin', how: 'transaction' });
  sessions.endAll();
  letGo();
  await expect.poll(() => outcomes).toEqual(['taken back']);
});

test('one that the thread has open is taken back when it is gone', async () => {
  const { service, letGo, outcomes } = heldUp();
  const sessions = new ServedSessions(service);
  letGo();
  const session = await sessions.answer({ what: 'begin', how: 'transaction' });
  sessions.endAll();
  await expect.poll(() => outcomes).toEqual(['taken back']);
  await expect(sessions.answer({ what: 'query', session: Number(session), sql: '', params: [] })).rejects.toThrow();
});
