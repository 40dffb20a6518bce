/** Asks each server of an upstream what it is, with a login of the proxy's own. */
import { Client, type ClientConfig } from 'pg';
import type { ServerAddress, ServerRoles } from '../options.ts';

type Row = { readonly standby: boolean; readonly readonly: boolean };

const QUESTION =
  "SELECT pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.current_setting('transaction_read_only') = 'on' AS readonly";

export function askServers(loginAt: (server: ServerAddress) => Promise<ClientConfig>): ServerRoles {
  return {
    async roleOf(server, timeoutMs) {
      const limits = { connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs };
      const client = new Client({ ...(await loginAt(server)), ...limits, application_name: 'sealgate' });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const { rows } = await client.query<Row>(QUESTION);
        const [row] = rows;
        return { isStandby: row?.standby ?? true, isReadOnly: row?.readonly ?? true };
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}
