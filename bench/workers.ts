/** SEALGATE_BENCH_WORKERS: how many processes serve data, as the config's `workers`; one unless told. */
export const workers = (): string => process.env['SEALGATE_BENCH_WORKERS'] ?? '1';
