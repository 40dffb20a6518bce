/** `sealgate postgres unseal`: moves sealed columns out. */
import { defineCommand } from '../command.ts';
import { MOVE_OPTIONS } from './move-options.ts';

export const postgresUnsealCommand = defineCommand({
  name: 'postgres unseal',
  summary: 'turn sealed columns back into plaintext of their logical types',
  usage: 'postgres unseal <column>... --user <owner> [--password-file <file>] [--dry-run | --abandon]',
  example: 'sealgate postgres unseal app.public.customers.national_id --user postgres --password-file ./owner.password',
  details: [
    'The way back of `postgres seal`, with the rule still in the config and `sealgate up` stopped: in batches, resumable, every row read back',
    'before the swap. The columns get the types that their rules name. Exit codes are those of `postgres seal`.',
  ].join('\n'),
  options: MOVE_OPTIONS,
  positionals: { min: 1, max: 100 },
  run: async ({ positionals, values }, io) => (await import('./move.ts')).runMove('unseal', positionals, values, io),
});
