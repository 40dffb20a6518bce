/** The server's answer to the question what is there (`sql.ts`). */
import { z } from 'zod';
import { CatalogFacts } from '../facade/catalog-facts.ts';
import { MadeSnapshot } from './made.ts';

const Snapshot = z.object({
  searchPath: z.array(z.string()),
  facts: CatalogFacts,
  made: MadeSnapshot,
  /** Whether somebody has added an operator = or <> over the guard's domain, which the server would take before bytea's. */
  guardOperators: z.boolean(),
  relations: z.array(
    z.object({
      oid: z.number(),
      schema: z.string(),
      schemaOid: z.number(),
      name: z.string(),
      kind: z.enum(['r', 'p', 'v', 'm', 'f']),
      columns: z.array(z.tuple([z.string(), z.number(), z.string(), z.boolean()])),
      keys: z.array(z.tuple([z.string(), z.string()])),
      definition: z.string().nullable(),
    }),
  ),
  inherits: z.array(z.tuple([z.number(), z.number()])),
  /** Relation with the rule, relation the rule names, whether it is more than a view's own. */
  rules: z.array(z.tuple([z.number(), z.number(), z.boolean()])),
  /** Relation, column, and a relation of which the column holds rows, however deep in types. */
  rowColumns: z.array(z.tuple([z.number(), z.string(), z.number()])),
  /** Type other than of a relation itself, and a relation of which it holds rows. */
  rowTypes: z.array(z.tuple([z.string(), z.number()])),
  triggers: z.array(z.tuple([z.number(), z.number()])),
  /** Relation, a function that its own texts call (0: set_config, or pg_settings is named), and whether it does when it is read; null: only once row security is enabled. */
  calls: z.array(z.tuple([z.number(), z.number(), z.boolean().nullable()])),
  /** Schema and name of an operator, type or routine, and a function that its use runs (0: set_config). */
  uses: z.array(z.tuple([z.enum(['operator', 'type', 'routine']), z.string(), z.string(), z.number()])),
  /** Relation, and one whose foreign key on it writes there as well. */
  cascades: z.array(z.tuple([z.number(), z.number()])),
  routines: z.array(
    z.object({
      oid: z.number(),
      schema: z.string(),
      name: z.string(),
      language: z.string(),
      definition: z.string(),
      takesRow: z.boolean(),
    }),
  ),
});

export type CatalogSnapshot = z.infer<typeof Snapshot>;
export type SnapshotRelation = CatalogSnapshot['relations'][number];

export function parseSnapshot(value: unknown): CatalogSnapshot {
  return Snapshot.parse(value);
}
