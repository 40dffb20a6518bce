/**
 * Our own credentials towards an upstream: fixed ones, or the AWS default chain (environment, shared files and profiles, web identity,
 * container and instance metadata), renewed before they expire and after the upstream refused them, without restart.
 */
import type { AccessKey } from './verify.ts';

export interface UpstreamCredentials {
  /** Current credentials. Rejects with what the room that uses them says where there are none. */
  get(): Promise<AccessKey>;
  /** The upstream refused these: look again before the next use. */
  invalidate(): void;
  /** The upstream refused something and does not say what: other credentials than `used` where there are such, else undefined. */
  replacing(used: AccessKey): Promise<AccessKey | undefined>;
}

export function fixedCredentials(key: AccessKey): UpstreamCredentials {
  const none = (): Promise<undefined> => Promise.resolve(undefined);
  return { get: () => Promise.resolve(key), invalidate: () => undefined, replacing: none };
}

/** The error of the room that signs with them, where none are found. */
export type NoCredentials = (cause: unknown) => Error;

export type ProvidedKey = AccessKey & { readonly expiration?: Date };

/** Renewed this long before they expire: AWS hands out new ones at least five minutes before. */
const RENEW_BEFORE_MS = 5 * 60 * 1000;
/** Without an expiry (shared files): read again this often, so that an edited file takes effect. */
const REREAD_AFTER_MS = 5 * 60 * 1000;

/** A provider that fails, or gives short-lived credentials, is not asked for every request. */
const ASK_AGAIN_AFTER_MS = 10 * 1000;

/** Credentials from a provider, kept while they are good. One renewal runs at a time; a failed one leaves good credentials in use. */
export class RenewedCredentials implements UpstreamCredentials {
  readonly #provide: () => Promise<ProvidedKey>;
  readonly #now: () => number;
  readonly #none: NoCredentials;
  #current: { readonly key: ProvidedKey; readonly renewAt: number } | undefined;
  #renewal: Promise<AccessKey> | undefined;
  #suspectedAt = -Infinity;

  constructor(provide: () => Promise<ProvidedKey>, now: () => number, none: NoCredentials) {
    this.#provide = provide;
    this.#now = now;
    this.#none = none;
  }

  async get(): Promise<AccessKey> {
    if (this.#current !== undefined && this.#now() < this.#current.renewAt) return this.#current.key;
    this.#renewal ??= this.#renew().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  invalidate(): void {
    if (this.#current !== undefined) this.#current = { ...this.#current, renewAt: 0 };
  }

  async replacing(used: AccessKey): Promise<AccessKey | undefined> {
    // Refusals are an everyday thing: the provider is not asked about each.
    if (this.#current?.key === used && this.#now() - this.#suspectedAt >= ASK_AGAIN_AFTER_MS) {
      this.#suspectedAt = this.#now();
      this.invalidate();
    }
    const key = await this.get();
    return key.accessKeyId === used.accessKeyId && key.secretAccessKey === used.secretAccessKey ? undefined : key;
  }

  async #renew(): Promise<AccessKey> {
    try {
      const key = await this.#provide();
      const renewAt =
        key.expiration === undefined ? this.#now() + REREAD_AFTER_MS : key.expiration.getTime() - RENEW_BEFORE_MS;
      this.#current = { key, renewAt: Math.max(renewAt, this.#now() + ASK_AGAIN_AFTER_MS) };
      return key;
    } catch (error) {
      const old = this.#current?.key;
      if (old !== undefined && (old.expiration?.getTime() ?? Infinity) > this.#now()) {
        this.#current = { key: old, renewAt: this.#now() + ASK_AGAIN_AFTER_MS };
        return old;
      }
      throw this.#none(error);
    }
  }
}

/** The chain's own remarks are no lines of our log: what matters of them is in the error. */
const UNSAID = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

type Chain = {
  /** One of the shared files. */
  readonly profile: string | undefined;
  /** Whose STS is asked for a role that names no region itself, as by a client of the AWS SDK for this region. */
  readonly region: string;
};

/** The AWS default chain. */
export function chainCredentials(
  now: () => number,
  { profile, region }: Chain,
  none: NoCredentials,
): UpstreamCredentials {
  const provide = async (): Promise<ProvidedKey> => {
    // Loaded where it is wanted: 11 MiB that fixed credentials never need.
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    const named = profile === undefined ? {} : { profile };
    // A new chain each time: it remembers what it once read.
    const chain = fromNodeProviderChain({ ignoreCache: true, logger: UNSAID, ...named });
    // As a client hands it to the chain: the region fills in where a source has none of its own. `clientConfig` would override theirs.
    const asClient = { callerClientConfig: { region: () => Promise.resolve(region), ...named } };
    const { sessionToken, ...key } = await chain(asClient);
    // Services that imitate AWS's give an empty one for none; stores refuse a request that is signed with it.
    return sessionToken === undefined || sessionToken === '' ? key : { ...key, sessionToken };
  };
  return new RenewedCredentials(provide, now, none);
}
