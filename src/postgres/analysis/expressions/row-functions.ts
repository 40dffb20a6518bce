/**
 * Functions of the server's own that take a row as it is, which may be written as a column of it: `t.to_json` is `to_json(t)` where no column is
 * called so. Of those in pg_catalog the ones with one argument, but for defaults, that is of a pseudo-type (PostgreSQL 18).
 */
const NAMES =
  'any_value array_agg concat count cume_dist dense_rank first_value hash_record json_agg json_agg_strict json_build_array json_build_object ' +
  'jsonb_agg jsonb_agg_strict jsonb_build_array jsonb_build_object lag last_value lead max min mode num_nonnulls num_nulls percent_rank ' +
  'pg_collation_for pg_column_compression pg_column_size pg_column_toast_chunk_id pg_typeof quote_literal quote_nullable rank record_out ' +
  'record_send row_to_json to_json to_jsonb';

export const ROW_FUNCTIONS: ReadonlySet<string> = new Set(NAMES.split(' '));
