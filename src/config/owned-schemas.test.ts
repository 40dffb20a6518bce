import { expect, test } from 'vitest';
import { KEYS, problemsOf as problems } from '../../test/support/config.ts';

const config = (column: string): string => `${KEYS}postgres:
  listen: { port: 6432 }
  upstream: { host: db }
  databases: [{ name: app, service: { user: gate } }]
  columns:
    - { column: ${column}, type: text, key: alias/a }
`;

test.each(['sealgate.deks', 'pg_catalog.pg_class', 'pg_toast.t', 'information_schema.sql_parts'])(
  'A rule never names a table that is the server’s or Sealgate’s own: %s',
  async (table) => {
    expect(await problems(config(`app.${table}.name`))).toEqual(['9:17 VALUE postgres.columns[0].column']);
  },
);
