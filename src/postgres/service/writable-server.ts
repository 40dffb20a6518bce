/**
 * The pool of the proxy's own connections, at the one of several servers that can be written to. Which that is, is asked where a connection is
 * wanted and none is known, and again after one broke or was told that the server is read-only: a failover.
 */
import type { Pool, PoolClient } from 'pg';

export type PooledClient = { readonly client: PoolClient; readonly pool: Pool };

export class WritableServer {
  readonly #opens: readonly (() => Pool)[];
  #current: Pool | undefined;

  /** Makes the pool of each server; they connect at their first use. */
  constructor(opens: readonly (() => Pool)[]) {
    this.#opens = opens;
  }

  /** Rejects as `pg` does, with what the last server that was tried said. */
  async connect(): Promise<PooledClient> {
    const [only] = this.#opens;
    if (this.#current === undefined && this.#opens.length === 1) this.#current = only?.();
    const pool = this.#current;
    return pool === undefined ? this.#choose() : { client: await this.#connectKnown(pool), pool };
  }

  /** Looks for the server anew at the next use. Those that are in use there end by themselves. */
  forget(pool: Pool): void {
    if (this.#opens.length === 1 || this.#current !== pool) return;
    this.#current = undefined;
    void pool.end();
  }

  async close(): Promise<void> {
    await this.#current?.end();
  }

  async #connectKnown(pool: Pool): Promise<PoolClient> {
    try {
      return await pool.connect();
    } catch (error) {
      this.forget(pool);
      throw error;
    }
  }

  async #choose(): Promise<PooledClient> {
    let failure: unknown = new Error('none of the servers can be written to');
    for (const open of this.#opens) {
      const pool = open();
      try {
        const client = await pool.connect();
        const writable = await isWritable(client).catch((error: unknown) => {
          client.release(true);
          throw error;
        });
        if (writable) return this.#keep(client, pool);
        client.release();
      } catch (error) {
        failure = error;
      }
      void pool.end();
    }
    throw failure;
  }

  /** Two that looked at once have found two pools: the first stays. */
  #keep(client: PoolClient, pool: Pool): PooledClient {
    if (this.#current === undefined) this.#current = pool;
    else void pool.end();
    return { client, pool };
  }
}

async function isWritable(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_catalog.pg_is_in_recovery() AS standby');
  return rows[0]?.standby === false;
}
