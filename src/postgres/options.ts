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
  /** What client certificates are checked with, where they are asked for. */
  readonly clients?: { readonly caPem: string; readonly crlPem?: string; readonly required: boolean };
};

/** TLS towards the server, with libpq's words. What is PEM is read for every connection: it may have been renewed. */
export type UpstreamTlsOptions = {
  readonly mode: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** Without asking for it first. */
  readonly direct?: boolean;
  readonly caPem?: string | undefined;
  readonly certificatePem?: string | undefined;
  readonly privateKeyPem?: string | undefined;
};

/** As with libpq, a host that begins with a slash is the folder of a Unix socket; `address`: where it is, if not where its name says. */
export type ServerAddress = { readonly host: string; readonly port: number; readonly address?: string };

/** As libpq's target_session_attrs. */
export type TargetServer = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';
export type ServerRole = { readonly isStandby: boolean; readonly isReadOnly: boolean };

/** Asks a server what it is. Rejects where it cannot be asked. */
export interface ServerRoles {
  /** Rejects where it does not answer, connecting or asked, within the time. */
  roleOf(server: ServerAddress, timeoutMs: number): Promise<ServerRole>;
}

/** One server, or several among which `target` chooses. */
export type UpstreamOptions = {
  readonly servers: readonly ServerAddress[];
  readonly tls: UpstreamTlsOptions;
  /** `any` unless told; the others need `roles`. */
  readonly target?: TargetServer;
  readonly roles?: ServerRoles;
  readonly order?: 'listed' | 'random';
  /** For each server. */
  readonly connectTimeoutMs?: number;
};

/** Where SCRAM verifiers come from: the text of pg_authid.rolpassword, or undefined where the role has none. */
export interface VerifierSource {
  verifier(user: string): Promise<string | undefined>;
}

/** `relay`: the server authenticates, the proxy carries the messages. `terminate`: SCRAM-SHA-256 ends here and begins anew with the user's own key. */
export type AuthenticationOptions =
  { readonly type: 'relay' } | { readonly type: 'terminate'; readonly verifiers: VerifierSource };

/** A role that logs in with a client certificate, and what it is logged in with at the server. */
export type CertificateLogin = {
  /** `subject:O=Acme, CN=app`, `name:DNS:app.test`. */
  readonly names: ReadonlySet<string>;
  readonly password: string | undefined;
};

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
    /** Undefined: no TCP. */
    readonly host?: string | undefined;
    readonly port: number;
    /** Folder of a Unix socket to listen on. */
    readonly socket?: string | undefined;
    /** Other processes of ours listen there too, and the system gives connections to one or the other. */
    readonly shared?: boolean | undefined;
  };
  readonly clientTls?: ClientTlsOptions;
  readonly upstream: UpstreamOptions;
  /** Databases that are elsewhere. */
  readonly routes?: ReadonlyMap<string, UpstreamOptions>;
  readonly authentication: AuthenticationOptions;
  /** By role: who shows a certificate instead of `authentication`. */
  readonly certificates?: ReadonlyMap<string, CertificateLogin>;
  /** Databases with rules, by name; every other database passes byte for byte. */
  readonly databases: ReadonlyMap<string, ProtectedDatabase>;
  /** Replication connections to databases with rules; refused unless told. */
  readonly replication?: 'refuse' | 'pass';
  readonly logger: ProxyLogger;
  readonly metrics?: ProxyMetrics;
  readonly maxConnections?: number;
  readonly startupTimeoutMs?: number;
};
