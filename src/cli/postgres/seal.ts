/** `sealgate postgres seal`: moves columns that hold plaintext in. */
import { defineCommand } from '../command.ts';
import { MOVE_OPTIONS } from './move-options.ts';

export const postgresSealCommand = defineCommand({
  name: 'postgres seal',
  summary: 'seal what existing columns hold, as their rules say',
  usage: 'postgres seal <column>... --user <owner> [--password-file <file>] [--dry-run | --abandon]',
  example: [
    'sealgate postgres seal app.public.customers.national_id --user postgres --dry-run',
    'sealgate postgres seal app.public.customers.national_id --user postgres --password-file ./owner.password',
    'sealgate postgres seal public.customers public.orders.national_id --user postgres   # a whole table, and one that refers to it',
  ].join('\n'),
  details: [
    'With the application and `sealgate up` stopped. Values are sealed beside the column in batches; then every row is read back under a lock, and',
    'one rewrite of the table puts the sealed values in the column’s place, with NOT NULL, keys, indexes and foreign keys kept. It may end anywhere',
    '(also by kill -9): the same command goes on where it was. Nothing that other sessions write meanwhile is lost. What reads the column inside',
    'the server (views, triggers, checks, defaults, policies, indexes on expressions) is refused by name, before anything is changed.',
    'A format-preserving column keeps its type, so nothing but its record in schema sealgate tells that it is sealed: keep that with the table.',
    'Columns that a foreign key ties are named in one run. The disk needs room for the table twice more. Exit code 0: sealed; 1: refused, locked by others, or a',
    'value that cannot be sealed; 2: usage; 3: the config is wrong; 4: the database did not answer; 5: the key store could not be opened.',
  ].join('\n'),
  options: {
    ...MOVE_OPTIONS,
    force: { type: 'boolean', help: 'seal deterministically although few values are repeated often' },
  },
  positionals: { min: 1, max: 100 },
  run: async ({ positionals, values }, io) => (await import('./move.ts')).runMove('seal', positionals, values, io),
});
