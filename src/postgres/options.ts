/**
 * The Postgres proxy's options: plain data and interfaces, which main.ts fills from the config.
 */
import type { StatementAnalyzer } from './analysis/analyzer.ts';
import type { ColumnService } from './columns/column-service.ts';

/** TLS towards clients. PEM texts; `required` refuses clients without TLS. */
export type ClientTlsOptions = {
  readonly mode: 'optional' | 'required';
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Verifies client certificates where given. */
  readonly clientCaPem?: string;
};

/** TLS towards the server, with libpq's words. */
export type UpstreamTlsOptions = {
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  readonly caPem?: string;
  readonly certificatePem?: string;
  readonly privateKeyPem?: string;
};

export type UpstreamOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: UpstreamTlsOptions;
};

/** Where SCRAM verifiers come from: the text of pg_authid.rolpassword, or undefined where the role has none. */
export interface VerifierSource {
  verifier(user: string): Promise<string | undefined>;
}

/** `relay`: the server authenticates, the proxy carries the messages. `terminate`: SCRAM-SHA-256 ends here and begins anew with the user's own key. */
export type AuthenticationOptions =
  { readonly type: 'relay' } | { readonly type: 'terminate'; readonly verifiers: VerifierSource };

/** A database with column rules. */
export type ProtectedDatabase = {
  readonly analyzer: StatementAnalyzer;
  readonly columns: ColumnService;
};

/** As pino's: fields first. */
export interface ProxyLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counters; every hook is optional and must not throw. */
export interface ProxyMetrics {
  connectionOpened?(): void;
  connectionClosed?(): void;
  /** One statement decided on: passed untouched, sealed or refused. */
  statement?(outcome: 'pass' | 'sealed' | 'refused'): void;
  valuesSealed?(count: number): void;
  valuesOpened?(count: number): void;
  failed?(code: string): void;
}

export type PostgresProxyOptions = {
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** Other processes of ours listen there too, and the system gives connections to one or the other. */
    readonly shared?: boolean | undefined;
  };
  readonly clientTls?: ClientTlsOptions;
  readonly upstream: UpstreamOptions;
  readonly authentication: AuthenticationOptions;
  /** Databases with rules, by name; every other database passes byte for byte. */
  readonly databases: ReadonlyMap<string, ProtectedDatabase>;
  readonly logger: ProxyLogger;
  readonly metrics?: ProxyMetrics;
  readonly maxConnections?: number;
  readonly startupTimeoutMs?: number;
};
