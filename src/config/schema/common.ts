/** Pieces of the schema that several sections use. Descriptions end up in the JSON Schema, so editors show them. */
import { z } from 'zod';

export const text = (description: string) => z.string().min(1).describe(description);

/** A path; relative ones start at the folder of the config file. */
export const path = (description: string) =>
  z
    .string()
    .min(1)
    .regex(/^[^\u0000-\u001f]*$/u, 'expected a path on one line')
    .describe(`${description} Relative paths start at the folder of this file.`);

export const count = (
  description: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
) => z.int().min(min).max(max).describe(description);

const host = (description: string) =>
  z
    .string()
    .min(1)
    .max(255)
    .regex(/^[^\s/]+$/u, 'expected a host name or IP address')
    .describe(description);
const port = (description: string, min: number) => z.int().min(min).max(65_535).describe(description);

/** Exactly one of several keys has to be there: said to zod, and to editors through JSON Schema's `oneOf`. */
export function exactlyOne<Shape extends z.ZodRawShape>(
  object: z.ZodObject<Shape>,
  names: readonly (keyof Shape & string)[],
) {
  return object
    .superRefine((value: Readonly<Record<string, unknown>>, context) => {
      const given = names.filter((name) => value[name] !== undefined);
      if (given.length === 1) return;
      const all = names.map((name) => `\`${name}\``).join(', ');
      const message = given.length === 0 ? `expected one of ${all}` : `expected only one of ${all}`;
      context.addIssue({
        code: 'custom',
        message,
        params: { missing: given.length === 0 },
        path: given.length > 1 ? [given[1] ?? ''] : [],
      });
    })
    .meta({ oneOf: names.map((name) => ({ required: [name] })) });
}

/** At most one of several keys may be there. */
export function atMostOne<Shape extends z.ZodRawShape>(
  object: z.ZodObject<Shape>,
  names: readonly (keyof Shape & string)[],
) {
  return object
    .superRefine((value: Readonly<Record<string, unknown>>, context) => {
      const given = names.filter((name) => value[name] !== undefined);
      if (given.length < 2) return;
      const message = `expected only one of ${names.map((name) => `\`${name}\``).join(', ')}`;
      context.addIssue({ code: 'custom', message, path: [given[1] ?? ''] });
    })
    .meta({ not: { required: [...names] } });
}

/** Who vouches for client certificates. */
export const clientAuthority = {
  clientCaFile: path(
    'Certificates that client certificates are checked with, PEM. With it clients may show one.',
  ).optional(),
  clientCrlFile: path('Revocation list of that CA, PEM.').optional(),
};

/** For what has `certFile` and `keyFile` or neither: said to zod, and to editors. */
export function withClientCertificate<Shape extends z.ZodRawShape>(object: z.ZodObject<Shape>) {
  return object
    .superRefine((value: Readonly<Record<string, unknown>>, context) => {
      if ((value.certFile === undefined) === (value.keyFile === undefined)) return;
      context.addIssue({
        code: 'custom',
        message: '`certFile` and `keyFile` belong together',
        path: [value.certFile === undefined ? 'keyFile' : 'certFile'],
      });
    })
    .meta({ dependentRequired: { certFile: ['keyFile'], keyFile: ['certFile'] } });
}

export const serverCertificate = {
  certFile: path('Certificate chain, PEM.'),
  keyFile: path('Private key, PEM.'),
};

export const listenAddress = {
  host: host('Address to listen on. 127.0.0.1 is this machine alone, 0.0.0.0 every network.').default('127.0.0.1'),
  port: port('TCP port; 0 takes a free one.', 0),
};

export const plainListen = z.strictObject(listenAddress).describe('Where it is served.');

export const listen = z
  .strictObject({
    ...listenAddress,
    tls: z
      .strictObject(serverCertificate)
      .optional()
      .describe('Serve TLS, with this certificate. The files are read again when they change.'),
  })
  .describe('Where clients connect to.');

export const certificateName = exactlyOne(
  z.strictObject({
    subject: text('The whole subject, in the order of the certificate: `O=Acme, CN=backup`.').optional(),
    name: z
      .string()
      .regex(/^(?:DNS|URI|email):.+$/u, 'expected `DNS:…`, `URI:…` or `email:…`')
      .describe('One of its names (subjectAltName): `DNS:app.example.test`, `URI:spiffe://example.test/app`.')
      .optional(),
  }),
  ['subject', 'name'],
).describe('A client certificate, by its subject or a name.');

export const postgresListen = z
  .strictObject({
    host: host('As elsewhere; 127.0.0.1 unless told, and no TCP at all where `socket` is given without it.').optional(),
    port: port('TCP port, and the number in the name of the Unix socket; 0 takes a free one.', 0),
    socket: path('Folder in which a Unix socket `.s.PGSQL.<port>` is made, for clients on this machine.').optional(),
    tls: z
      .strictObject({
        ...serverCertificate,
        required: z.boolean().default(true).describe('Refuse clients that do not ask for TLS; not on the Unix socket.'),
        ...clientAuthority,
        clientCertificates: z
          .enum(['optional', 'required'])
          .default('required')
          .describe(
            'With `clientCaFile`. optional: a client may show none, and then needs a password; one that is not good is refused.',
          ),
      })
      .optional()
      .describe('Serve TLS, with this certificate. The files are read again when they change.'),
  })
  .describe('Where clients connect to.');

export const upstreamHost = host('Host name or IP address.');
export const upstreamPort = port('TCP port.', 1);

export const keyReference = z
  .string()
  .regex(
    /^(?:alias\/[A-Za-z0-9:/_-]{1,250}|(?:mrk-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|mrk-[0-9a-f]{32}|arn:[a-z0-9-]+:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[A-Za-z0-9:/_-]+)$/u,
    'expected a KMS key: `alias/name`, a key id, or an ARN',
  )
  .describe('A KMS key: `alias/name`, key id, or ARN. Make one with `sealgate keys create --alias name`.');
