/** Section `kms`: the AWS-KMS-compatible listener and its callers. Region and account are those of `keys`. */
import { z } from 'zod';
import {
  certificateName,
  clientAuthority,
  exactlyOne,
  listenAddress,
  path,
  serverCertificate,
  text,
} from './common.ts';

const tls = z
  .strictObject({
    ...serverCertificate,
    ...clientAuthority,
    clientCertificates: z
      .enum(['optional', 'required'])
      .default('optional')
      .describe('required: nobody without a good certificate gets as far as a request, signed or not.'),
  })
  .describe('Serve TLS, with this certificate. The files are read again when they change.');

const client = exactlyOne(
  z.strictObject({
    name: z
      .string()
      .regex(/^[\w+=,.@-]{1,64}$/u, 'expected up to 64 letters, digits and + = , . @ _ -')
      .describe('Name of the caller in audit records and key policies. Several entries may have one name.'),
    accessKeyId: z
      .string()
      .regex(/^\w{3,128}$/u, 'expected 3 to 128 letters, digits or _')
      .describe('Access key id that the client signs with.')
      .optional(),
    secretAccessKey: text('Its secret; write `${NAME}` to take it from the environment.').optional(),
    secretAccessKeyFile: path('File that holds the secret.').optional(),
    certificate: certificateName.optional(),
    principal: z
      .string()
      .regex(
        /^(?:arn:aws[a-z-]*:(?:iam::\d{12}:(?:user|role)\/[!-~]+|sts::\d{12}:assumed-role\/[!-~]+)|(?=.{1,128}$)[a-z0-9-]+(?:\.[a-z0-9-]+){2,})$/u,
        'expected the ARN of a user, a role or a role’s session, or the name of a service, such as backup.example.com',
      )
      .describe(
        'Whom it stands for; `arn:aws:iam::<account>:user/<name>` unless told. A name such as `backup.example.com` makes it a service, which key policies name as `Service` and grants as GranteeServicePrincipal.',
      )
      .optional(),
  }),
  ['accessKeyId', 'certificate'],
);

export const kmsSchema = z
  .strictObject({
    listen: z
      .strictObject({
        ...listenAddress,
        tls: tls.optional(),
        allowPlaintext: z
          .boolean()
          .default(false)
          .describe(
            'Serve other machines without TLS: keys cross the network in clear. For a TLS proxy in front alone.',
          ),
      })
      .describe('Where clients connect to.'),
    clients: z
      .array(client)
      .min(1)
      .describe('Who may call. What they may do is said in `keys.access` and key policies.'),
  })
  .describe('The AWS-KMS-compatible API of the key manager.');
