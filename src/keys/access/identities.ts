/**
 * Who may ask, and with which policies: from the config, replaced as a whole when it is read again. A caller whom the config
 * does not list comes with the policies of the way it came by: through the gateway and the proxy it may use keys, directly nothing.
 */
import { LRUCache } from 'lru-cache';
import type { KeyUse } from '../uses/data-keys.ts';
import { storageUsePolicy } from './default-policies.ts';
import type { IdentitiesOptions, IdentityOptions, PolicyText, ViaServices } from './options.ts';
import { makeIdentity, type Identity } from './identity.ts';
import { parsePolicy } from './policy/policy.ts';
import { principalOf } from './principal.ts';
import type { NamedPolicy } from './scan.ts';

/** Postgres roles come and go; what is dropped here is made again. */
const MAX_UNLISTED = 10_000;

export class Identities {
  readonly #listed: ReadonlyMap<string, IdentityOptions>;
  readonly #organization: readonly NamedPolicy[];
  readonly #storageUse: readonly NamedPolicy[];
  readonly #made = new LRUCache<string, Identity>({ max: MAX_UNLISTED });

  /** ERR_KEYS_POLICY names the policy that cannot be taken. */
  constructor(options: IdentitiesOptions, via: ViaServices) {
    this.#listed = new Map(options.identities.map((identity) => [identity.arn, identity]));
    // Parsed now, so that a policy that cannot be taken ends the start and not a request.
    for (const identity of options.identities) parseAll(identity);
    this.#organization = options.organizationPolicies.map((text) => named('organization-policy', text));
    const document = storageUsePolicy([via.s3, via.postgres]);
    const use = options.unlistedStorageCallers === 'use-keys';
    this.#storageUse = use ? [named('identity-policy', { name: 'storage-use', document })] : [];
  }

  /** The same object for the same caller, as long as nothing about it changes. */
  of(arn: string, via: KeyUse['via']): Identity {
    const name = `${via} ${arn}`;
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = this.#make(arn, via);
    this.#made.set(name, made);
    return made;
  }

  #make(arn: string, via: KeyUse['via']): Identity {
    const principal = principalOf(arn);
    const listed = this.#listed.get(arn) ?? this.#listed.get(principal.roleArn ?? arn);
    if (listed === undefined) {
      const isStorage = (via === 's3' || via === 'postgres') && principal.type !== 'anonymous';
      return makeIdentity(principal, isStorage ? this.#storageUse : [], this.#organization);
    }
    const { tags = {}, organizationId } = listed;
    const { policies, boundaries } = parseAll(listed);
    return makeIdentity(
      principalOf(arn, { tags, ...(organizationId === undefined ? {} : { organizationId }) }),
      policies,
      [...boundaries, ...this.#organization],
    );
  }
}

function parseAll({ policies, boundaries = [] }: IdentityOptions): {
  readonly policies: readonly NamedPolicy[];
  readonly boundaries: readonly NamedPolicy[];
} {
  return {
    policies: policies.map((text) => named('identity-policy', text)),
    boundaries: boundaries.map((text) => named('boundary', text)),
  };
}

function named(
  type: 'identity-policy' | 'boundary' | 'organization-policy',
  { name, document }: PolicyText,
): NamedPolicy {
  return { ref: { type, name }, policy: parsePolicy(document, 'identity') };
}
