/** A database with sealed columns and its plain twin, told the same in raw bytes by a connection each, new for each test. */
import { serialize } from 'pg-protocol';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { connectTo } from './connect.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';
import { RawClient } from './proxy.ts';
import { say, shown } from './said.ts';
import { openSearchedDatabase, type SearchedDatabase, type TestRule } from './sealed-database.ts';

type Started = { readonly db: SearchedDatabase; readonly twinUrl: string };

/** `ddl`: of the database (`sealgate.sealed` where it has a rule) and of its twin. */
export function rawTwins(ddl: { readonly sealed: string; readonly plain: string }, rules: readonly TestRule[]) {
  let server: TestPostgres;
  let started: Started | undefined;
  let connected: { readonly sealed: RawClient; readonly twin: RawClient } | undefined;
  const begun = (): Started => {
    if (started === undefined) throw new Error('the suite has not begun');
    return started;
  };
  const clients = () => {
    if (connected === undefined) throw new Error('no test has begun');
    return connected;
  };
  beforeAll(async () => {
    server = await startPostgres();
    const db = await openSearchedDatabase(server, 'sealed', ddl.sealed, rules);
    const twinUrl = await db.openTwin();
    const plain = await connectTo(twinUrl);
    await plain.query(ddl.plain);
    await plain.end();
    started = { db, twinUrl };
  });
  afterAll(async () => {
    await started?.db.close();
    await server.stop();
  });
  beforeEach(async () => {
    const { db, twinUrl } = begun();
    connected = { sealed: await RawClient.login(db.url), twin: await RawClient.login(twinUrl) };
  });
  afterEach(() => {
    connected?.sealed.end();
    connected?.twin.end();
  });
  return {
    get db() {
      return begun().db;
    },
    get twinUrl() {
      return begun().twinUrl;
    },
    get sealed() {
      return clients().sealed;
    },
    get twin() {
      return clients().twin;
    },
    /** Says a message to both, and expects the same answers. */
    async expectAlike(text: string): Promise<void> {
      const { sealed, twin } = clients();
      expect({ text, said: shown(await say(sealed, text)) }).toEqual({ text, said: shown(await say(twin, text)) });
    },
    /** The same of a sequence; Sync is added. */
    async expectSequenceAlike(...frames: readonly Uint8Array[]): Promise<void> {
      const { sealed, twin } = clients();
      for (const on of [sealed, twin]) on.send(...frames, serialize.sync());
      expect(shown(await sealed.untilReady())).toEqual(shown(await twin.untilReady()));
    },
  };
}
