/**
 * The one schema of the config file. Everything else follows from it: the types, the checks of shape, and the JSON Schema that
 * editors use (`emit-schema.ts`). Checks that look at several places at once are in `bucket-rules.ts` and `column-rules.ts`.
 */
import { z } from 'zod';
import { keysSchema } from './schema/keys.ts';
import { kmsSchema } from './schema/kms.ts';
import { observeSchema } from './schema/observe.ts';
import { postgresSchema } from './schema/postgres.ts';
import { s3Schema } from './schema/s3.ts';

export const configSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    keys: keysSchema,
    kms: kmsSchema.optional(),
    s3: s3Schema.optional(),
    postgres: postgresSchema.optional(),
    observe: observeSchema.prefault({}),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(256)])
      .default(1)
      .describe(
        'Processes that serve S3 and PostgreSQL, sharing the ports; `auto`: one for each core. With more than one, another process beside them owns the key store and serves KMS and metrics.',
      ),
  })
  .describe(
    'Configuration of Sealgate. `${NAME}` in a value is replaced from the environment (`$${` stands for `${`).',
  );

/** The file as parsed and with defaults filled in: secrets are still text and paths relative. See `Config` for what the rooms use. */
export type ConfigFile = z.output<typeof configSchema>;
