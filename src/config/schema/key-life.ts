/** Section `keys.life`: for how long, and for how much, keys are used, and what happens then (SP 800-57 part 1). */
import { z } from 'zod';
import { count, text } from './common.ts';

const MAX_DAYS = 36_500;
const MAX_RULES = 100;
const MAX_REASON_CHARS = 500;

const profile = z
  .enum(['aws', 'nist'])
  .describe(
    'What the end of a period or limit does. aws: a warning, as keys of AWS never start refusing. nist: where protecting is to end the key is rotated, or refuses where it cannot be.',
  );
const recipientEnd = z
  .enum(['warn', 'deny'])
  .describe('Under the profile nist: whether what was protected is still opened and verified after its period.');

const days = (what: string) =>
  z.union([z.int().min(1).max(MAX_DAYS), z.literal('unlimited')]).describe(`${what} Days, or \`unlimited\`.`);

const rule = z
  .strictObject({
    keys: z
      .array(
        z
          .string()
          .regex(
            /^(?:alias\/[\w/*-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/u,
            'expected a key id, or `alias/…` with `*` for any characters',
          ),
      )
      .min(1)
      .describe('Which keys: ids, or names of aliases, in which `*` stands for any characters. All unless told.')
      .optional(),
    types: z
      .array(z.enum(['wrapping', 'authentication', 'signature', 'transport', 'agreement']))
      .min(1)
      .describe(
        'Which types of keys: wrapping (symmetric), authentication (HMAC), signature, transport (RSA encryption), agreement. All unless told.',
      )
      .optional(),
    profile: profile.optional(),
    recipientEnd: recipientEnd.optional(),
    weakWrapping: z
      .enum(['warn', 'refuse'])
      .describe(
        'Import of material wrapped by a key that is weaker than it. Warned of by the profile aws, refused by nist, unless told.',
      )
      .optional(),
    originatorDays: days('How long a material protects.').optional(),
    recipientDays: days('How long a material processes what it has protected; never shorter.').optional(),
    maxOperations: count('How often a material protects, at most.').optional(),
    maxBytes: count('How many bytes a material protects in all, at most.').optional(),
    reason: text('Why: it is kept in the audit trail, and stands in `sealgate keys report`.')
      .max(MAX_REASON_CHARS)
      .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, 'expected one line of text'),
  })
  .describe('What holds for some keys, and why. The first rule that is about a key holds for it, and no other.');

export const keyLife = z
  .strictObject({
    profile: profile.default('aws'),
    recipientEnd: recipientEnd.default('warn'),
    rules: z.array(rule).max(MAX_RULES).default([]).describe('Changes to what the standard and this section say.'),
  })
  .describe('For how long, and for how much, keys are used, and what happens then.');
