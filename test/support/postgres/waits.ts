/** What a test waits for at a server, asked of the server itself: how long it takes is the machine's business. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connectTo } from './connect.ts';
import type { TestPostgres } from './postgres.ts';

/** Has the server read its configuration again. Whoever connects afterwards is let in, or not, by what stands in the files now. */
export async function reloadConfig(server: TestPostgres): Promise<void> {
  await asked(server, async (direct) => {
    const readAt = async (): Promise<string | undefined> =>
      (await direct.query<{ at: string }>('SELECT pg_conf_load_time()::text AS at')).rows[0]?.at;
    const before = await readAt();
    await direct.query('SELECT pg_reload_conf()');
    // A session reads it when the postmaster tells it to, which takes nobody in before it has read all of it itself.
    while ((await readAt()) === before) await sleep(10);
  });
}

/** Returns when a session of the server runs this very statement. */
export async function untilRuns(server: TestPostgres, statement: string): Promise<void> {
  await asked(server, async (direct) => {
    const running = "SELECT 1 FROM pg_stat_activity WHERE query = $1 AND state = 'active'";
    while ((await direct.query(running, [statement])).rowCount === 0) await sleep(10);
  });
}

async function asked(server: TestPostgres, work: (direct: pg.Client) => Promise<void>): Promise<void> {
  const direct = await connectTo(server.url());
  await work(direct).finally(() => direct.end());
}
