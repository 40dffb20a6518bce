/** Section `postgres`: the proxy, its upstream, and its column rules. */
import { z } from 'zod';
import {
  atMostOne,
  exactlyOne,
  keyReference,
  path,
  postgresListen,
  text,
  upstreamHost,
  upstreamPort,
} from './common.ts';

const url = z
  .string()
  .regex(/^postgres(?:ql)?:\/\/\S+$/u, 'expected a URL such as postgres://user@host:5432/database')
  .describe('postgres://user@host:port/database; a password may stand in it, better in `passwordFile`.');

const upstreamTls = z
  .strictObject({
    mode: z
      .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
      .default('prefer')
      .describe("As libpq's sslmode. Only verify-full proves whom the proxy talks to."),
    caFile: path('Certificates to trust, PEM.').optional(),
    certFile: path('Certificate of the proxy, PEM.').optional(),
    keyFile: path('Its private key, PEM.').optional(),
  })
  .superRefine((value, context) => {
    if ((value.certFile === undefined) === (value.keyFile === undefined)) return;
    context.addIssue({
      code: 'custom',
      message: '`certFile` and `keyFile` belong together',
      path: [value.certFile === undefined ? 'keyFile' : 'certFile'],
    });
  })
  .meta({ dependentRequired: { certFile: ['keyFile'], keyFile: ['certFile'] } })
  .describe('TLS to the server.');

const upstream = exactlyOne(
  z.strictObject({
    url: url.optional(),
    host: upstreamHost.optional(),
    socket: path('Folder of the Unix socket, such as /var/run/postgresql.').optional(),
    port: upstreamPort.optional(),
    tls: upstreamTls.optional(),
  }),
  ['url', 'host', 'socket'],
).describe('The PostgreSQL server behind the proxy.');

const service = atMostOne(
  exactlyOne(
    z.strictObject({
      url: url.optional(),
      user: text("The proxy's own role at the server.").optional(),
      password: text('Its password; write `${NAME}` to take it from the environment.').optional(),
      passwordFile: path('File that holds the password.').optional(),
      tls: upstreamTls.optional(),
    }),
    ['url', 'user'],
  ),
  ['password', 'passwordFile'],
).describe(
  "The proxy's own connection, which owns schema `sealgate`: a whole `url`, or a `user` at the same upstream.",
);

const database = z.strictObject({
  name: text('Name of the database.'),
  service,
  allowRoutines: z
    .array(z.string().regex(/^[^.]+\.[^.]+$/u, 'expected schema.name'))
    .default([])
    .describe(
      'Routines and trigger functions (schema.name) that statements may use although they could touch sealed columns: you vouch for them.',
    ),
});

const verifier = z
  .string()
  .regex(/^SCRAM-SHA-256\$\d+:[^$]+\$[^:]+:.+$/u, 'expected a SCRAM verifier, SCRAM-SHA-256$iterations:salt$key:key')
  .describe("The role's pg_authid.rolpassword at the server; write `${NAME}` to take it from the environment.");

const user = exactlyOne(
  z.strictObject({
    name: text('Role name.'),
    verifier: verifier.optional(),
    verifierFile: path('File that holds the verifier.').optional(),
  }),
  ['verifier', 'verifierFile'],
);

const columnRule = z.strictObject({
  column: z
    .string()
    .describe(
      'database.schema.table.column. As in SQL, names with capitals or other signs go in double quotes: app.public."Order".note',
    ),
  type: z
    .string()
    .describe(
      'The type that clients see: text, varchar(n), smallint, integer, bigint, numeric(p,s), boolean, date, timestamptz, uuid, jsonb, bytea.',
    ),
  key: keyReference,
  mode: z
    .enum(['randomized', 'deterministic'])
    .default('randomized')
    .describe(
      'randomized: equal values look different at rest. deterministic: equal values look equal, so that equality works.',
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
        'Roles whose SCRAM the proxy can terminate. The verifiers of others are read from pg_authid over the service connection, where its role may.',
      ),
    databases: z.array(database).default([]).describe('Databases with column rules. Others pass unchanged.'),
    guard: z
      .enum(['on', 'off'])
      .default('on')
      .describe('Whether sealed columns must have the guard domain, with which the server itself refuses plaintext.'),
    columns: z.array(columnRule).default([]).describe('Which columns are sealed, and how.'),
  })
  .describe('The PostgreSQL proxy.');
