/** SASL mechanisms of PostgreSQL (manual, "SASL Authentication"). */
export const SCRAM = 'SCRAM-SHA-256';
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';
