/** Every error of Sealgate in one table, by room: what `docs/ERRORS.md` is written from, and what exit codes come from. */
import { CONFIG_ERRORS } from '../../config/errors.ts';
import { CRYPTO_ERRORS } from '../../crypto/errors.ts';
import { ENVELOPE_ERRORS } from '../../envelope/errors.ts';
import type { ErrorCatalogue, ErrorEntry } from '../../errors.ts';
import { KEYS_ERRORS } from '../../keys/errors.ts';
import { KMS_ERRORS } from '../../kms/error-catalogue.ts';
import { ANALYSIS_ERRORS } from '../../postgres/analysis/errors.ts';
import { COLUMN_ERRORS } from '../../postgres/columns/errors.ts';
import { POSTGRES_ERRORS } from '../../postgres/errors.ts';
import { MIGRATE_ERRORS } from '../../postgres/migrate/errors.ts';
import { SERVICE_ERRORS } from '../../postgres/service/errors.ts';
import { VALUE_ERRORS } from '../../postgres/types/errors.ts';
import { S3_ERRORS } from '../../s3/error-catalogue.ts';
import { SIGV4_ERRORS } from '../../sigv4/errors.ts';
import { CLI_ERRORS } from '../errors.ts';

export type CatalogueSection = { readonly title: string; readonly errors: ErrorCatalogue };

export const CATALOGUE: readonly CatalogueSection[] = [
  { title: 'Command line', errors: CLI_ERRORS },
  { title: 'Config', errors: CONFIG_ERRORS },
  { title: 'Keys', errors: KEYS_ERRORS },
  { title: 'Crypto', errors: CRYPTO_ERRORS },
  { title: 'Bytes at rest', errors: ENVELOPE_ERRORS },
  { title: 'KMS', errors: KMS_ERRORS },
  { title: 'S3', errors: S3_ERRORS },
  { title: 'Signature Version 4', errors: SIGV4_ERRORS },
  { title: 'PostgreSQL: connections and messages', errors: POSTGRES_ERRORS },
  { title: 'PostgreSQL: statements', errors: ANALYSIS_ERRORS },
  { title: 'PostgreSQL: values', errors: VALUE_ERRORS },
  { title: 'PostgreSQL: sealed columns', errors: COLUMN_ERRORS },
  { title: 'PostgreSQL: moving in and out', errors: MIGRATE_ERRORS },
  { title: 'PostgreSQL: service connection', errors: SERVICE_ERRORS },
];

const ENTRIES: ReadonlyMap<string, ErrorEntry> = new Map(CATALOGUE.flatMap(({ errors }) => Object.entries(errors)));

export function catalogueEntry(code: string): ErrorEntry | undefined {
  return ENTRIES.get(code);
}
