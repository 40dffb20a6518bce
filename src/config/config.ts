/**
 * The config as the rest of the program gets it: plain data, every default filled in, paths absolute, secrets read. `load.ts`
 * makes it; the composition root maps it onto each room's own options.
 */
import type { BucketRule } from './bucket-rules.ts';
import type { ColumnRule } from './column-rules.ts';
import type { ListenTlsConfig } from './listen-tls.ts';
import type { PeerTlsConfig } from './peer-tls.ts';
import type { Secret } from './secret.ts';

export type Config = {
  /** The config file, absolute. */
  readonly file: string;
  readonly keys: KeysConfig;
  readonly kms: KmsConfig | undefined;
  readonly s3: S3Config | undefined;
  readonly postgres: PostgresConfig | undefined;
  readonly observe: ObserveConfig;
  /** Processes that serve S3 and PostgreSQL. */
  readonly workers: number | 'auto';
};

export type UnsealConfig =
  | { readonly type: 'keyFile'; readonly path: string }
  | { readonly type: 'passphrase'; readonly passphrase: Secret }
  | { readonly type: 'passphraseFile'; readonly path: string };

export type KeysConfig = {
  readonly store: string;
  readonly epochFile: string | undefined;
  /** The home region. */
  readonly region: string;
  readonly otherRegions: readonly string[];
  readonly account: string;
  readonly unseal: readonly UnsealConfig[];
  readonly cache: { readonly maxAgeSeconds: number; readonly maxUses: number; readonly maxEntries: number };
  readonly audit: {
    readonly file: string;
    readonly durability: 'write' | 'fsync';
    readonly rotateAtBytes: number;
    readonly sinks: readonly AuditSinkConfig[];
  };
  readonly alarm: { readonly decryptionsPerMinute: number | undefined };
  readonly life: KeyLifeConfig;
  readonly access: AccessConfig;
  /** Where KMS keys are held elsewhere. */
  readonly remote: RemoteKeysConfig | undefined;
};

/** Days; or without end. */
type LifeDays = number | 'unlimited' | undefined;
export type KeyLifeConfig = {
  readonly profile: 'aws' | 'nist';
  readonly recipientEnd: 'warn' | 'deny';
  readonly rules: readonly {
    readonly keys?: readonly string[] | undefined;
    readonly types?: readonly ('wrapping' | 'authentication' | 'signature' | 'transport' | 'agreement')[] | undefined;
    readonly profile?: 'aws' | 'nist' | undefined;
    readonly recipientEnd?: 'warn' | 'deny' | undefined;
    readonly weakWrapping?: 'warn' | 'refuse' | undefined;
    readonly originatorDays?: LifeDays;
    readonly recipientDays?: LifeDays;
    readonly maxOperations?: number | undefined;
    readonly maxBytes?: number | undefined;
    readonly reason: string;
  }[];
};

export type RemoteKeysConfig = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: CredentialsConfig | undefined;
  readonly tls: PeerTlsConfig;
  readonly timeoutSeconds: number;
};

export type AuditSinkConfig = {
  readonly name: string;
  /** Records that may wait for it before uses of keys are refused; undefined: any number. */
  readonly maxWaiting: number | undefined;
} & (
  | { readonly type: 'file'; readonly path: string }
  | {
      readonly type: 'syslog';
      readonly host: string;
      readonly port: number;
      readonly transport: 'tls' | 'tcp' | 'udp';
      readonly tls: PeerTlsConfig;
    }
  | {
      readonly type: 'http';
      readonly url: string;
      readonly authorization: Secret | undefined;
      readonly tls: PeerTlsConfig;
    }
);

/** A policy document as JSON text. */
export type PolicyConfig = { readonly name: string; readonly document: string };

export type IdentityConfig = {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly organization: string | undefined;
  readonly policies: readonly PolicyConfig[];
  readonly boundaries: readonly PolicyConfig[];
};

export type AccessConfig = {
  readonly identities: readonly IdentityConfig[];
  readonly unlistedStorageCallers: 'use-keys' | 'nothing';
  readonly s3ByDefault: 'everything' | 'nothing';
  readonly organizationPolicies: readonly PolicyConfig[];
  /** JSON text; undefined: AWS's own. */
  readonly defaultKeyPolicy: string | undefined;
  readonly grantsCrossAccounts: boolean;
};

/** PEM texts. */
export type CertificateConfig = { readonly certificate: string; readonly privateKey: Secret };
export type ListenConfig = {
  readonly host: string;
  readonly port: number;
  readonly tls: ListenTlsConfig | undefined;
};

export type KmsConfig = {
  readonly listen: ListenConfig;
  /** `principal` in full, whether it was written out or not. */
  readonly clients: readonly ({ readonly name: string; readonly principal: string } & (
    | { readonly type: 'access-key'; readonly accessKeyId: string; readonly secretAccessKey: Secret }
    | { readonly type: 'subject'; readonly subject: string }
    | { readonly type: 'name'; readonly certificateName: string }
  ))[];
};

export type CredentialsConfig =
  | {
      readonly type: 'static';
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
      readonly sessionToken: Secret | undefined;
    }
  | { readonly type: 'default'; readonly profile: string | undefined };

export type ObjectStoreConfig = {
  readonly endpoint: string;
  readonly region: string;
  readonly addressing: 'path' | 'virtual';
  readonly credentials: CredentialsConfig;
  readonly tls: PeerTlsConfig;
  readonly capabilities: {
    readonly unsignedPayload: boolean;
    readonly trailingChecksums: boolean;
    readonly ownChecksum: 'none' | 'md5' | 'crc32' | 'crc32c' | 'crc64nvme' | 'sha256';
    readonly metadataBytes: number;
  };
};

export type S3Config = {
  readonly listen: ListenConfig;
  readonly hosts: readonly string[];
  readonly region: string;
  readonly upstream: ObjectStoreConfig;
  /** Each has the buckets of these names, which may end in `*`; no name comes twice. */
  readonly otherUpstreams: readonly (ObjectStoreConfig & { readonly buckets: readonly string[] })[];
  readonly clients: readonly {
    readonly name: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: Secret;
    readonly sessionToken: Secret | undefined;
    /** Milliseconds since 1970. */
    readonly expiresAt: number | undefined;
  }[];
  readonly buckets: readonly BucketRule[];
  readonly listSizes: 'head' | 'stored';
  readonly defaultChecksum: 'none' | 'crc64nvme';
  readonly customerKeysWithoutTls: boolean;
  readonly emulateConditions: boolean;
};

export type PostgresTlsConfig = PeerTlsConfig & {
  readonly mode: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** TLS from the first byte, without asking for it. */
  readonly direct: boolean;
};

/** A host that begins with `/` is the folder of a Unix socket, as with libpq; `address`: where it is, if not where its name says. */
export type PostgresServerAddress = {
  readonly host: string;
  readonly address: string | undefined;
  readonly port: number;
};

/** As libpq's target_session_attrs. */
export type PostgresTarget = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby' | 'prefer-standby';
export type PostgresOrder = 'listed' | 'random';

export type PostgresServerConfig = {
  /** One, or those among which `target` chooses. */
  readonly servers: readonly PostgresServerAddress[];
  readonly tls: PostgresTlsConfig;
  readonly target: PostgresTarget;
  readonly order: PostgresOrder;
  readonly connectTimeoutSeconds: number | undefined;
};

/** `target` is of no account: it writes, so of several servers it uses the one that can be written to. */
export type PostgresServiceConfig = Omit<PostgresServerConfig, 'target' | 'order'> & {
  readonly user: string;
  readonly password: Secret | undefined;
  readonly database: string;
};

/** A client certificate by its subject or one of its names. */
export type CertificateNameConfig =
  { readonly type: 'subject'; readonly subject: string } | { readonly type: 'name'; readonly name: string };

export type PostgresUserConfig = {
  readonly name: string;
  readonly verifier: Secret | undefined;
  /** Any of them logs the role in; none: it has a password. */
  readonly certificates: readonly CertificateNameConfig[];
  /** With which a role that shows a certificate is logged in at the server. */
  readonly password: Secret | undefined;
};

export type PostgresConfig = {
  readonly listen: {
    /** Undefined: a Unix socket alone. */
    readonly host: string | undefined;
    readonly port: number;
    /** Folder of the Unix socket. */
    readonly socket: string | undefined;
    readonly tls: (ListenTlsConfig & { readonly required: boolean }) | undefined;
  };
  readonly upstream: PostgresServerConfig;
  /** Databases that are elsewhere. */
  readonly routes: readonly { readonly database: string; readonly upstream: PostgresServerConfig }[];
  readonly authentication: 'auto' | 'relay' | 'terminate';
  readonly users: readonly PostgresUserConfig[];
  /** Where verifiers are read that `users` does not give; undefined: pg_authid, over the first service connection. */
  readonly verifiers: { readonly query: string; readonly service: PostgresServiceConfig } | undefined;
  readonly replication: 'refuse' | 'pass';
  readonly databases: readonly {
    readonly name: string;
    readonly service: PostgresServiceConfig;
    /** `schema.name` of routines the operator vouches for. */
    readonly allowRoutines: readonly string[];
    /** The types that queries of the catalog are shown for sealed columns. */
    readonly catalog: 'logical' | 'physical';
  }[];
  readonly columns: readonly ColumnRule[];
};

export type ObserveConfig = {
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
};
