/** The service connection as the thread has it: every use is asked for. */
import type { ServiceConnection, ServiceRow, ServiceSession } from '../../service/connection.ts';
import type { StatementDescription } from '../../service/describe.ts';
import type { Ask } from './messages.ts';

export type RemoteService = Pick<ServiceConnection, 'transaction' | 'dryRun'>;

/** `ask` rejects with a ServiceError. What it answers is what the connection itself gave. */
export function remoteService(ask: (request: Ask) => Promise<unknown>): RemoteService {
  const within = async <Result>(how: 'transaction' | 'dryRun', work: (session: ServiceSession) => Promise<Result>) => {
    const session = (await ask({ what: 'begin', how })) as number;
    const end = (succeeded: boolean): Promise<unknown> => ask({ what: 'end', session, succeeded });
    let result: Result;
    try {
      result = await work(remoteSession(session, ask));
    } catch (error) {
      await end(false);
      throw error;
    }
    await end(true);
    return result;
  };
  return {
    transaction: (work) => within('transaction', work),
    dryRun: (work) => within('dryRun', work),
  };
}

function remoteSession(session: number, ask: (request: Ask) => Promise<unknown>): ServiceSession {
  return {
    query: async <Row extends ServiceRow>(sql: string, params: readonly unknown[] = []) =>
      (await ask({ what: 'query', session, sql, params })) as readonly Row[],
    describe: async (sql, oids = []) => (await ask({ what: 'describe', session, sql, oids })) as StatementDescription,
  };
}
