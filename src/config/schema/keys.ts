/** Section `keys`: the key store and what opens it. */
import { z } from 'zod';
import { auditSinks } from './audit-sinks.ts';
import { accessSchema } from './access.ts';
import { count, exactlyOne, path, text } from './common.ts';
import { keyLife } from './key-life.ts';
import { remoteKeys } from './remote-keys.ts';

const keyFileSlot = z
  .strictObject({ type: z.literal('keyFile'), path: path('File with the root key, as `sealgate init` writes it.') })
  .describe('A key file opens the store.');

const passphraseSlot = exactlyOne(
  z.strictObject({
    type: z.literal('passphrase'),
    passphrase: text('The passphrase; write `${NAME}` to take it from the environment.').optional(),
    passphraseFile: path(
      'File whose content is the passphrase, a line end at its end aside; readable by you alone (mode 0600).',
    ).optional(),
  }),
  ['passphrase', 'passphraseFile'],
).describe('A passphrase (argon2id) opens the store.');

export const keysSchema = z
  .strictObject({
    store: path('The key store (SQLite).').default('./sealgate-keys.sqlite'),
    epochFile: path(
      'The counter that tells an older copy of the store, best on another volume. By default beside the store.',
    ).optional(),
    region: z
      .string()
      .regex(/^[a-z0-9-]+$/u, 'expected a region such as us-east-1')
      .default('us-east-1')
      .describe('Region in the ARNs of keys; of the gateway, the proxy and the commands, where others are served too.'),
    otherRegions: z
      .array(
        z
          .string()
          .regex(/^(?:[a-z]+-){2,3}\d+$/u, 'expected a region such as us-east-1')
          .max(32),
      )
      .max(16)
      .default([])
      .describe(
        'Further regions whose keys this process serves, from the same store, to callers who sign for them: for multi-Region keys.',
      ),
    account: z
      .string()
      .regex(/^\d{12}$/u, 'expected 12 digits, in quotes')
      .default('000000000000')
      .describe('Account id in the ARNs of keys: 12 digits, in quotes.'),
    unseal: z
      .array(z.discriminatedUnion('type', [keyFileSlot, passphraseSlot]))
      .min(1)
      .describe('Ways to open the key store, tried in order. A new store gets a slot for each.'),
    cache: z
      .strictObject({
        maxAgeSeconds: count('A cached data key is dropped after this time.', { min: 0, max: 86_400 }).default(300),
        maxUses: count('A cached data key is dropped after this many uses.').default(1000),
        maxEntries: count('At most this many data keys are cached.', { max: 1_000_000 }).default(10_000),
      })
      .prefault({})
      .describe('Cache of data keys. Disabling a key empties it of that key at once, whatever these say.'),
    audit: z
      .strictObject({
        file: path('The audit trail: one JSON record per key use, chained.').default('./sealgate-audit.jsonl'),
        durability: z
          .enum(['write', 'fsync'])
          .default('write')
          .describe(
            'What has happened to a record before the answer leaves: written to the operating system, or on the disk.',
          ),
        rotateAtBytes: count(
          'A file that has so many bytes is put aside as <file>.<number of its first record>, and a new one begun. Nothing is deleted: move or delete what you need no more.',
          { min: 1024 * 1024, max: Number.MAX_SAFE_INTEGER },
        ).default(1024 * 1024 * 1024),
        sinks: auditSinks,
      })
      .prefault({})
      .describe('The audit trail.'),
    alarm: z
      .strictObject({
        decryptionsPerMinute: count(
          'A warning in the log, and a metric, where one caller decrypts more often than this with one key in a minute.',
        ).optional(),
      })
      .prefault({})
      .describe('What is worth a warning though policies allow it.'),
    life: keyLife.prefault({}),
    access: accessSchema.prefault({}),
    remote: remoteKeys.optional(),
  })
  .superRefine(({ region, otherRegions }, context) => {
    for (const [index, other] of otherRegions.entries()) {
      if (other !== region && otherRegions.indexOf(other) === index) continue;
      context.addIssue({ code: 'custom', path: ['otherRegions', index], message: `${other} is named already` });
    }
  })
  .describe('The key store and what opens it.');
