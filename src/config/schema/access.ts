/** Section `keys.access`: who may use and administer which key. Documents are in the IAM policy language (docs/ACCESS.md). */
import { z } from 'zod';
import { exactlyOne, path, text } from './common.ts';

const document = z
  .record(z.string(), z.unknown())
  .describe('The policy document, as a mapping in the words of the IAM policy language; `$${` stands for `${` in it.');
const documentFile = (what: string) => path(`File with ${what}, JSON.`);

const policy = exactlyOne(
  z.strictObject({
    name: z
      .string()
      .regex(/^[\w+=,.@-]{1,128}$/u, 'expected letters, digits and + = , . @ _ -')
      .describe('Its name in audit records and explanations.'),
    document: document.optional(),
    file: documentFile('the policy document').optional(),
  }),
  ['document', 'file'],
).describe('An identity policy: it has no Principal, and every statement has an Action and a Resource.');

const postgresRole = z
  .strictObject({ database: text('Database, as clients name it.'), role: text('Role that the client logs in as.') })
  .describe('A role that connects through the Postgres proxy.');

const identity = exactlyOne(
  z.strictObject({
    client: text(
      'An S3 or KMS client of this config, by its name. One with a `principal` of its own is named by that.',
    ).optional(),
    postgresRole: postgresRole.optional(),
    principal: z
      .string()
      .regex(
        /^arn:[a-z0-9-]+:iam::\d{12}:(?:root|(?:user|role)\/[!-~]+)$/u,
        'expected the ARN of a user, a role or an account’s root',
      )
      .describe('Any other caller, by its ARN; under a role’s ARN, every session of it.')
      .optional(),
    tags: z
      .record(z.string().max(128), z.string().max(256))
      .default({})
      .describe('For conditions: `aws:PrincipalTag/…`.'),
    organization: text('For conditions: `aws:PrincipalOrgID`.').optional(),
    policies: z.array(policy).default([]).describe('What it may do; any of them may allow.'),
    boundaries: z.array(policy).default([]).describe('Each of them must allow besides.'),
  }),
  ['client', 'postgresRole', 'principal'],
).describe('A caller and its policies.');

export const accessSchema = z
  .strictObject({
    identities: z.array(identity).default([]).describe('Callers with policies of their own.'),
    unlistedStorageCallers: z
      .enum(['use-keys', 'nothing'])
      .default('use-keys')
      .describe(
        'What callers of the S3 gateway and the Postgres proxy that `identities` does not list may do: use every key whose policy leaves it to the account, or nothing.',
      ),
    s3ByDefault: z
      .enum(['everything', 'nothing'])
      .default('everything')
      .describe(
        'What a client may do on the S3 gateway while no policy of its own names an `s3:` action: everything that the bucket rules allow, or nothing.',
      ),
    organizationPolicies: z.array(policy).default([]).describe('Each of them must allow, whoever asks.'),
    defaultKeyPolicy: exactlyOne(
      z.strictObject({ document: document.optional(), file: documentFile('the key policy').optional() }),
      ['document', 'file'],
    )
      .optional()
      .describe('Policy of keys that are made without one. By default, as with AWS, it leaves all to the account.'),
    grantsCrossAccounts: z
      .boolean()
      .default(false)
      .describe('Whether a grant is enough for a caller of another account, without an identity policy there.'),
  })
  .describe('Who may use and administer which key.');
