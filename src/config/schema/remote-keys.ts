/** `keys.remote`: the KMS keys are held by a key manager elsewhere. */
import { z } from 'zod';
import { count, path, serverCertificate, text } from './common.ts';
import { credentials } from './credentials.ts';

export const remoteKeys = z
  .strictObject({
    endpoint: z
      .url({ protocol: /^https?$/u, error: 'expected a URL such as https://kms.internal:8200' })
      .describe(
        'The key manager: the KMS listener of another Sealgate, or AWS KMS (`https://kms.<region>.amazonaws.com`). https; http to this machine alone.',
      ),
    region: text('Region that requests to it are signed for; `keys.region` unless told.').optional(),
    credentials: credentials
      .describe('Who we are there, by signature. Without it a client certificate has to say so.')
      .optional(),
    tls: z
      .strictObject({
        caFile: path('Certificates to trust for it, PEM, instead of the well-known ones.').optional(),
        crlFile: path('Revocation list of that CA, PEM.').optional(),
        clientCertificate: z
          .strictObject(serverCertificate)
          .optional()
          .describe('Who we are there, by a client certificate; alone, or beside a signature.'),
      })
      .prefault({})
      .describe('TLS to it. The files are read again when they change.'),
    timeoutSeconds: count('For one request, up to three tries included.', { max: 60 }).default(5),
  })
  .describe(
    'Another key manager holds the KMS keys that rules name; the store here keeps audit trail, service keys and the second copies of wrapped data keys. ' +
      'What is disabled there takes effect here once cached data keys end (`cache.maxAgeSeconds`).',
  );
