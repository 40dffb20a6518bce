/** The config's `keys.audit.sinks`. */
import { z } from 'zod';
import { atMostOne, count, path, text, upstreamHost, upstreamPort } from './common.ts';

const common = {
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/u, 'expected a name of a-z, 0-9 and -')
    .describe('Its name in logs, metrics and the file that says how far it has the log.'),
  required: z
    .boolean()
    .default(false)
    .describe('Refuse every use of a key while more than `maxWaiting` records wait for this sink.'),
  maxWaiting: count('Records that may wait for a required sink before uses of keys are refused.').default(10_000),
};

const caFile = path(
  'Certificates to trust for the receiver, PEM, instead of the well-known ones. Read again when it changes.',
).optional();

const fileSink = z
  .strictObject({ type: z.literal('file'), ...common, path: path('The copy, appended to.') })
  .describe('A second copy of the log, such as on another volume.');

const syslogSink = z
  .strictObject({
    type: z.literal('syslog'),
    ...common,
    host: upstreamHost,
    port: upstreamPort.default(6514),
    transport: z
      .enum(['tls', 'tcp', 'udp'])
      .default('tls')
      .describe('RFC 5425, 6587 (octet counting) or 5426. Only `tls` keeps the records from who listens.'),
    caFile,
  })
  .describe('A syslog receiver (RFC 5424): the whole record is the text of the message.');

const httpSink = atMostOne(
  z.strictObject({
    type: z.literal('http'),
    ...common,
    url: z
      .url({ protocol: /^https?$/u })
      .describe('Lines of JSON are sent here by POST; an answer of 2xx means it has them.'),
    authorization: text('The value of the header `authorization`.').optional(),
    authorizationFile: path('A file whose first line is the value of the header `authorization`.').optional(),
    caFile,
  }),
  ['authorization', 'authorizationFile'],
).describe('A collector that takes lines of JSON over HTTP.');

export const auditSinks = z
  .array(z.discriminatedUnion('type', [fileSink, syslogSink, httpSink]))
  .default([])
  .describe(
    'Where copies of the audit trail go. Each gets every record at least once, in order, also what was written while it was away.',
  );
