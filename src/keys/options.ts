/** What the key manager needs to know and to be given; `main.ts` and the commands map the config's `keys:` section onto it. */
import type { RandomSource } from '../crypto/random.ts';
import type { AccessOptions } from './access/options.ts';
import type { Grant, GrantPermissions } from './access/grants/grant.ts';
import type { KeyFacts, RequestFacts } from './access/request.ts';
import type { KeyUse } from './uses/data-keys.ts';
import type { LifeWarning } from './life/guard/warnings.ts';
import type { LifeOptions } from './life/terms/options.ts';
import type { RemoteKms } from './remote/remote-kms.ts';

/** One way to unseal the store. A passphrase's file is read when it is needed and never kept. */
export type UnsealSecret =
  | { readonly type: 'key-file'; readonly path: string }
  | { readonly type: 'passphrase-file'; readonly path: string }
  /** `read` gives a fresh copy each time; the callee zeroes it. */
  | { readonly type: 'passphrase'; readonly read: () => Uint8Array };

/** `fsync`: a record survives power failure before the answer leaves; `write`: it survives the process. */
export type AuditDurability = 'fsync' | 'write';

export type AuditOptions = {
  readonly path: string;
  readonly durability: AuditDurability;
  /** A file that has so many bytes is put aside, and a new one begun; never unless told. */
  readonly rotateAtBytes?: number;
};

/** Bounds of the DEK cache; see `limits.ts` for the defaults. `maxEntries: 0` turns it off. */
export type DekCacheLimits = { readonly maxAgeMs: number; readonly maxUses: number; readonly maxEntries: number };

export type KeyStoreOptions = {
  readonly storePath: string;
  /** The epoch counter, best on another volume than the store; `<storePath>.epoch` unless told. */
  readonly epochPath?: string;
  /** Tried in this order; any one that fits unseals. */
  readonly unseal: readonly UnsealSecret[];
};

export type KeyManagerOptions = KeyStoreOptions & {
  /** Part of every ARN, e.g. `eu-central-1` and twelve digits. Stored data names keys by UUID, so both may change. */
  readonly region: string;
  readonly account: string;
  /** Served from the same store besides `region`, for callers who address them. */
  readonly otherRegions?: readonly string[];
  readonly audit: AuditOptions;
  readonly cache?: Partial<DekCacheLimits>;
  /** Who may what; without it whoever reaches the key manager may all (tests of other things). */
  readonly access?: AccessOptions;
  /** When materials may protect and process no more, and what then; DEFAULT_LIFE unless told. */
  readonly life?: LifeOptions;
  /** Open a store that is older than its epoch counter (a restored backup), once, and take it as the newest. */
  readonly acceptRollback?: boolean;
  /** Continue an audit log whose end is missing; the gap is recorded and stays visible. */
  readonly acceptAuditGap?: boolean;
};

/** Counters for the metrics room; every method must be cheap and must not throw. */
export interface KeyMetrics {
  cacheHit(): void;
  cacheMiss(): void;
  keyUse(action: string, result: string): void;
  /** A use that opened something for this caller, with the key of this ARN. */
  decrypted?(principal: string, keyArn: string): void;
  /** A period or limit of a key's material is over, or its wrapping was weak: at most once a day for each material and reason. */
  keyLife?(warning: LifeWarning): void;
}

/** Whether a principal may do this with this key. Asked on every use, cached DEK or not: it has to be quick. */
export interface KeyAuthorizer {
  decide(question: AuthorizationQuestion): AuthorizationDecision;
  /** Refuses a policy under which its maker could not put another: ERR_KEYS_POLICY_LOCKOUT. */
  checkLockout?(policy: string, use: KeyUse, key?: QuestionedKey): void;
}

export type AuthorizationQuestion = {
  readonly principal: string;
  readonly via: KeyUse['via'];
  /** In AWS's words, without `kms:`. */
  readonly action: string;
  /** Undefined for actions on no key in particular (create, list). */
  readonly keyId: string | undefined;
  /** With `keyId`: the key as policies see it. One object until the key changes. */
  readonly key: QuestionedKey | undefined;
  readonly context: Readonly<Record<string, string>>;
  readonly request: RequestFacts;
} & QuestionSubject;

/** What else an action may be about. */
export type QuestionSubject = {
  /** An alias, by its name, and not the key it names. */
  readonly alias?: string;
  /** The grant that CreateGrant would make. */
  readonly proposed?: GrantPermissions;
  /** The grant that RetireGrant would end. */
  readonly retiring?: Grant;
  /** Who may retire the grants that ListRetirableGrants lists. */
  readonly retirer?: string;
};

/** `policy`: the document; undefined: the default one. */
export type QuestionedKey = KeyFacts & { readonly policy: string | undefined };

export type AuthorizationDecision = {
  readonly allow: boolean;
  /** Which rule decided; goes into the audit record. */ readonly why: string;
  /** What the caller is told where it is not allowed, in AWS's words; a general sentence unless told. */
  readonly message?: string;
};

/** What is read at the edge and passed in. */
export type KeyPorts = {
  readonly random: RandomSource;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly metrics?: KeyMetrics;
  readonly authorizer?: KeyAuthorizer;
  /** Called when a key changed, so that DEKs it wrapped are not to be used again wherever they are held besides. */
  readonly deksDropped?: () => void;
  /** Where the KMS keys are held elsewhere; whoever opens the key manager hands it over, to be closed with it. */
  readonly remote?: RemoteKms;
};
