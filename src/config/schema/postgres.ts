/** Section `postgres`: the proxy, its upstream, and its column rules. */
import { z } from 'zod';
import {
  atMostOne,
  certificateName,
  exactlyOne,
  keyReference,
  path,
  postgresListen,
  text,
  upstreamHost,
  upstreamPort,
  withClientCertificate,
} from './common.ts';

const url = z
  .string()
  .regex(
    /^(?:postgres(?:ql)?:\/\/\S*|\s*\w+\s*=.*)$/u,
    'expected a URL such as postgres://user@host:5432/database, or host=… port=… pairs',
  )
  .describe(
    'A connection string as libpq takes it: postgres://user@host1:5432,host2/database?sslmode=verify-full&target_session_attrs=read-write, or host=… port=… pairs. A password may stand in it, better in `passwordFile`.',
  );

const upstreamTls = withClientCertificate(
  z.strictObject({
    mode: z
      .enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'])
      .optional()
      .describe("As libpq's sslmode; `prefer` unless told. Only verify-full proves whom the proxy talks to."),
    caFile: path('Certificates to trust, PEM.').optional(),
    certFile: path('Certificate of the proxy, PEM.').optional(),
    keyFile: path('Its private key, PEM.').optional(),
  }),
).describe('TLS to the server. The files are read again when they change.');

const upstream = exactlyOne(
  z.strictObject({
    url: url.optional(),
    host: upstreamHost.optional(),
    socket: path('Folder of the Unix socket, such as /var/run/postgresql.').optional(),
    port: upstreamPort.optional(),
    tls: upstreamTls.optional(),
  }),
  ['url', 'host', 'socket'],
).describe('The PostgreSQL server behind the proxy; several (a primary and its standbys) stand in `url`.');

const login = {
  url: url.optional(),
  user: text("The proxy's own role at the server.").optional(),
  password: text('Its password; write `${NAME}` to take it from the environment.').optional(),
  passwordFile: path('File that holds the password.').optional(),
  tls: upstreamTls.optional(),
};

const service = atMostOne(exactlyOne(z.strictObject(login), ['url', 'user']), ['password', 'passwordFile']).describe(
  "The proxy's own connection, which owns schema `sealgate`: a whole `url`, or a `user` at the same upstream.",
);

const verifiers = atMostOne(
  exactlyOne(
    z.strictObject({
      query: text(
        'Gives the verifier (pg_authid.rolpassword) of the role $1, in the last column of its one row. A SECURITY DEFINER function makes it possible without a superuser.',
      ).default('SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin'),
      database: text('Database to ask in; `postgres` unless the URL says another.').optional(),
      ...login,
    }),
    ['url', 'user'],
  ),
  ['password', 'passwordFile'],
).describe('Who reads the SCRAM verifiers of roles that `users` does not list, and how.');

const database = z.strictObject({
  name: text('Name of the database.'),
  upstream: upstream.optional().describe('The server of this database, where it is not that of `postgres.upstream`.'),
  service: service.optional(),
  catalog: z
    .enum(['logical', 'physical'])
    .default('logical')
    .describe(
      'Types that queries of the catalog (psql \\d, information_schema, ORMs) show for sealed columns: those of the rules, or the guard domain. pg_dump is always shown the latter; a session chooses with SET sealgate.catalog.',
    ),
  allowRoutines: z
    .array(z.string().regex(/^[^.]+\.[^.]+$/u, 'expected schema.name'))
    .default([])
    .describe(
      'Routines and trigger functions (schema.name) that statements may use although they could touch sealed columns, or set what values are printed under (DateStyle, TimeZone, client_encoding, ...): you vouch for them.',
    ),
});

const verifier = z
  .string()
  .regex(/^SCRAM-SHA-256\$\d+:[^$]+\$[^:]+:.+$/u, 'expected a SCRAM verifier, SCRAM-SHA-256$iterations:salt$key:key')
  .describe("The role's pg_authid.rolpassword at the server; write `${NAME}` to take it from the environment.");

const user = atMostOne(
  exactlyOne(
    z.strictObject({
      name: text('Role name.'),
      verifier: verifier.optional(),
      verifierFile: path('File that holds the verifier.').optional(),
      certificates: z
        .array(certificateName)
        .min(1)
        .optional()
        .describe('Client certificates, any of which logs the role in; it then has no password at the proxy.'),
      password: text(
        'With `certificates`: what the proxy logs the role in with at the server, where the server asks for SCRAM.',
      ).optional(),
      passwordFile: path('File that holds that password.').optional(),
    }),
    ['verifier', 'verifierFile', 'certificates'],
  ),
  ['password', 'passwordFile'],
);

const kept = (which: 'first' | 'last') =>
  z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe(`How many of the ${which} characters stay as they are, readable by the server.`);

const columnRule = z.strictObject({
  column: z
    .string()
    .describe(
      'database.schema.table.column. As in SQL, names with capitals or other signs go in double quotes: app.public."Order".note',
    ),
  type: z
    .string()
    .describe(
      'The type that clients see, in PostgreSQL’s spelling: text, varchar(n), char(n), smallint, integer, bigint, numeric(p,s), real, double precision, boolean, bytea, date, time, timetz, timestamp, timestamptz, interval, uuid, inet, cidr, macaddr, macaddr8, bit(n), varbit(n), json, jsonb; arrays of them (text[]); enums and domains of the database by schema and name (public.mood).',
    ),
  key: keyReference,
  mode: z
    .enum(['randomized', 'deterministic', 'format-preserving'])
    .default('randomized')
    .describe(
      'randomized: equal values look different at rest. deterministic: equal values look equal, so that equality works. format-preserving: deterministic, and the value keeps its type, length and alphabet; no guard in the server, no tag on the value.',
    ),
  format: z
    .strictObject({
      alphabet: z
        .enum(['digits', 'digits-and-small-letters', 'digits-and-capitals', 'alphanumeric'])
        .describe('The characters that values consist of; others are refused.'),
      keepFirst: kept('first'),
      keepLast: kept('last'),
      generation: z
        .int()
        .min(1)
        .max(1_000_000)
        .default(1)
        .describe('The number of the data key. Another number is another key: what is stored does not read by it.'),
    })
    .optional()
    .describe(
      'Of `mode: format-preserving`: what the values look like. What is not kept must have a million values: 6 digits, 4 letters.',
    ),
  search: z
    .enum(['none', 'equality'])
    .optional()
    .describe(
      'What clients may ask for in WHERE: follows from the mode, and may be written out. `equality` with deterministic, `none` with randomized.',
    ),
  domain: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,62}$/u, 'expected small letters, digits, _ and -')
    .optional()
    .describe(
      'Deterministic columns of one domain compare equal across tables, for joins and foreign keys. They need one key and types that compare alike.',
    ),
  guard: z.enum(['on', 'off']).optional().describe('Overrides `postgres.guard` for this column.'),
  default: z
    .string()
    .optional()
    .describe(
      'The column default: a constant as its type is written in text, such as open or 0.00. The proxy seals it where an INSERT or COPY leaves the column out, and for DEFAULT; the server has none.',
    ),
  check: z
    .array(
      z.strictObject({
        name: text('Name of the constraint, which errors tell.'),
        expression: text(
          'SQL over VALUE (or the column name) alone: comparisons with constants, BETWEEN, IN, length(), LIKE, ~, with AND, OR and NOT.',
        ),
      }),
    )
    .optional()
    .describe('CHECK constraints of the column, which the proxy enforces before it seals: the server cannot.'),
  force: z
    .literal(true)
    .optional()
    .describe('Allows a mode that hides little: deterministic on a type with few values.'),
});

export const postgresSchema = z
  .strictObject({
    listen: postgresListen,
    upstream,
    authentication: z
      .enum(['auto', 'relay', 'terminate'])
      .default('auto')
      .describe(
        'relay: client and server authenticate each other through the proxy. terminate: SCRAM with the client, and SCRAM again with the server. auto: relay where that can work.',
      ),
    users: z
      .array(user)
      .default([])
      .describe(
        'Roles that log in with a client certificate, and roles whose SCRAM the proxy can terminate. The verifiers of others are read at the server: see `verifiers`.',
      ),
    verifiers: verifiers.optional(),
    replication: z
      .enum(['refuse', 'pass'])
      .default('refuse')
      .describe(
        'Replication connections to databases with column rules. pass: replication commands go through, and what they carry is ciphertext; SQL on them is refused.',
      ),
    databases: z
      .array(database)
      .default([])
      .describe(
        'Databases with column rules (`service`), and those on other servers (`upstream`). Others pass unchanged.',
      ),
    guard: z
      .enum(['on', 'off'])
      .default('on')
      .describe('Whether sealed columns must have the guard domain, with which the server itself refuses plaintext.'),
    columns: z.array(columnRule).default([]).describe('Which columns are sealed, and how.'),
  })
  .describe('The PostgreSQL proxy.');
