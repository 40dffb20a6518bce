/**
 * The product's metrics, in Prometheus' form. Labels come from closed sets (operation names, outcomes, codes), never from clients;
 * callers and keys are bounded in number (`decryption-volume.ts`).
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DecryptionVolume } from './decryption-volume.ts';
import { Tally } from './tally.ts';

/** Seconds; from a cached lookup to a large object. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export type Listener = 'kms' | 's3' | 'postgres';

export type AuditSinkState = { readonly waiting: () => number; readonly isFailing: () => boolean };

export class Metrics {
  readonly registry = new Registry();
  readonly #s3Requests: Counter<'operation' | 'status'>;
  readonly #s3Duration: Histogram<'operation'>;
  readonly #s3Bytes: Counter<'direction'>;
  readonly #kms: KmsMetrics;
  readonly #postgres: PostgresMetrics;
  readonly #refusals: Counter<'listener' | 'code'>;
  readonly #connections: Gauge<'listener'>;
  readonly #keyUses: Tally<'action' | 'result'>;
  readonly #dekCache: Tally<'result'>;
  readonly #keyLife: Counter<'reason' | 'outcome'>;

  readonly decryptions: DecryptionVolume;
  readonly #auditSinks = new Map<string, AuditSinkState>();

  constructor({ process = false }: { readonly process?: boolean } = {}) {
    const registers = [this.registry];
    this.#s3Requests = new Counter({
      name: 'sealgate_s3_requests_total',
      help: 'S3 requests answered, by operation and HTTP status.',
      labelNames: ['operation', 'status'],
      registers,
    });
    this.#s3Duration = new Histogram({
      name: 'sealgate_s3_request_duration_seconds',
      help: 'From the head of an S3 request to the end of its answer.',
      labelNames: ['operation'],
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#s3Bytes = new Counter({
      name: 'sealgate_s3_bytes_total',
      help: 'Plaintext bytes of S3 bodies received from and sent to clients.',
      labelNames: ['direction'],
      registers,
    });
    this.#kms = kmsMetrics(this.registry);
    this.#postgres = postgresMetrics(this.registry);
    this.#refusals = new Counter({
      name: 'sealgate_refusals_total',
      help: 'Requests, statements and connections refused or failed, by error code.',
      labelNames: ['listener', 'code'],
      registers,
    });
    this.#connections = new Gauge({
      name: 'sealgate_connections',
      help: 'Open client connections.',
      labelNames: ['listener'],
      registers,
    });
    this.#keyUses = new Tally({
      name: 'sealgate_key_uses_total',
      help: 'Uses of KMS keys, by action and result.',
      labelNames: ['action', 'result'],
      registers,
    });
    this.#dekCache = new Tally({
      name: 'sealgate_dek_cache_total',
      help: 'Look-ups in the cache of data keys.',
      labelNames: ['result'],
      registers,
    });
    this.#keyLife = new Counter({
      name: 'sealgate_key_life_warnings_total',
      help: 'Materials whose period or limit is over, or whose wrapping was weak, by reason and what became of the use; once a day for each.',
      labelNames: ['reason', 'outcome'],
      registers,
    });
    auditSinkGauges(this.registry, this.#auditSinks);
    this.decryptions = new DecryptionVolume(this.registry);
    if (process) collectDefaultMetrics({ register: this.registry });
  }

  s3Request(operation: string, status: number, seconds: number): void {
    this.#s3Requests.inc({ operation, status: String(status) });
    this.#s3Duration.observe({ operation }, seconds);
  }

  s3Bytes(direction: 'in' | 'out', bytes: number): void {
    this.#s3Bytes.inc({ direction }, bytes);
  }

  kmsRequest(action: string, result: string, seconds: number): void {
    this.#kms.requests.inc({ action, result });
    this.#kms.duration.observe({ action }, seconds);
  }

  statement(outcome: 'pass' | 'sealed' | 'refused'): void {
    this.#postgres.statements.add(outcome, { outcome });
  }

  values(action: 'sealed' | 'opened', count: number): void {
    this.#postgres.values.add(action, { action }, count);
  }

  refused(listener: Listener, code: string): void {
    this.#refusals.inc({ listener, code });
  }

  connections(listener: Listener, change: 1 | -1): void {
    this.#connections.inc({ listener }, change);
  }

  keyUse(action: string, result: string): void {
    this.#keyUses.add(`${action} ${result}`, { action, result });
  }

  keyLife(reason: string, outcome: string): void {
    this.#keyLife.inc({ reason, outcome });
  }

  /** From now on its state is asked whenever metrics are read. */
  auditSink(name: string, state: AuditSinkState): void {
    this.#auditSinks.set(name, state);
  }

  dekCache(result: 'hit' | 'miss'): void {
    this.#dekCache.add(result, { result });
  }
}

type PostgresMetrics = { readonly statements: Tally<'outcome'>; readonly values: Tally<'action'> };

function postgresMetrics(registry: Registry): PostgresMetrics {
  const registers = [registry];
  return {
    statements: new Tally({
      name: 'sealgate_postgres_statements_total',
      help: 'Statements decided on: pass (untouched), sealed, refused.',
      labelNames: ['outcome'],
      registers,
    }),
    values: new Tally({
      name: 'sealgate_postgres_values_total',
      help: 'Values sealed and opened.',
      labelNames: ['action'],
      registers,
    }),
  };
}

function auditSinkGauges(registry: Registry, sinks: ReadonlyMap<string, AuditSinkState>): void {
  const registers = [registry];
  new Gauge({
    name: 'sealgate_audit_sink_waiting_records',
    help: 'Audit records that a sink does not have yet.',
    labelNames: ['sink'],
    registers,
    collect() {
      for (const [sink, { waiting }] of sinks) this.set({ sink }, waiting());
    },
  });
  new Gauge({
    name: 'sealgate_audit_sink_failing',
    help: '1 while an audit sink takes no records.',
    labelNames: ['sink'],
    registers,
    collect() {
      for (const [sink, { isFailing }] of sinks) this.set({ sink }, isFailing() ? 1 : 0);
    },
  });
}

type KmsMetrics = { readonly requests: Counter<'action' | 'result'>; readonly duration: Histogram<'action'> };

function kmsMetrics(registry: Registry): KmsMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'sealgate_kms_requests_total',
      help: 'KMS requests answered, by action and result (success, or the name of the error).',
      labelNames: ['action', 'result'],
      registers,
    }),
    duration: new Histogram({
      name: 'sealgate_kms_request_duration_seconds',
      help: 'From the head of a KMS request to its answer.',
      labelNames: ['action'],
      buckets: DURATION_BUCKETS,
      registers,
    }),
  };
}
