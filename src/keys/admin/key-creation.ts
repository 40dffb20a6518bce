/**
 * Making a key. Key pairs take up to seconds, so they are made before the turn to change anything comes, for callers who may: other
 * changes go on meanwhile.
 */
import type { RequestFacts } from '../access/request.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { describeKey } from './describe.ts';
import { KeysError } from '../errors.ts';
import { assertFreeAlias } from './free-alias.ts';
import type { CreateKeyRequest, KeyDescription } from './key-admin.ts';
import type { KeyChanges } from './key-changes.ts';
import { kindOf, type KeySpec, type KeyUsage } from '../key-kinds.ts';
import { checkKeyPolicy } from './key-policy.ts';
import { checkTags, tagRecord } from './key-tags.ts';
import { MAX_DESCRIPTION_CHARS } from '../limits.ts';
import { CUSTOMER } from '../managed/management.ts';
import { storeNewKey } from './new-key.ts';
import { isPairSpec, newPairMaterial } from '../pairs/pair-material.ts';
import type { KeyOrigin } from '../records.ts';
import type { UseTrace } from '../uses/use-recorder.ts';

type Kind = { readonly spec: KeySpec; readonly usage: KeyUsage; readonly origin: KeyOrigin };

export class KeyCreation {
  readonly #changes: KeyChanges;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
  }

  async createKey(request: CreateKeyRequest, use: KeyUse): Promise<KeyDescription> {
    const made = await this.#pairMaterial(request, use);
    try {
      return await this.#changes.make('CreateKey', use, (trace) => {
        const kind = this.#check(request, use, trace);
        return async () => this.#create(request, kind, made ?? (await this.#newMaterial(kind)), { trace, use });
      });
    } finally {
      made?.fill(0);
    }
  }

  /** Undefined: none is needed, or none can be had, which is for the request's own turn to find out and to record. */
  async #pairMaterial(request: CreateKeyRequest, use: KeyUse): Promise<Uint8Array | undefined> {
    if (request.spec === undefined || !isPairSpec(request.spec) || request.origin === 'EXTERNAL') return undefined;
    try {
      return await this.#newMaterial(this.#check(request, use, {}));
    } catch {
      return undefined;
    }
  }

  async #newMaterial(kind: Kind): Promise<Uint8Array | undefined> {
    return isPairSpec(kind.spec) && kind.origin === 'AWS_KMS'
      ? newPairMaterial(kind, this.#changes.parts.pairs)
      : undefined;
  }

  #check(request: CreateKeyRequest, use: KeyUse, trace: UseTrace): Kind {
    const { description = '', alias, tags = [], policy } = request;
    const { recorder, ring, ports } = this.#changes.parts;
    const kind = kindAsked(request);
    checkDescription(description);
    checkTags(tags);
    if (alias !== undefined) {
      trace.detail = { alias };
      assertFreeAlias(ring, alias);
    }
    const facts = createFacts(request, kind);
    recorder.authorize(trace, 'CreateKey', use, {}, facts);
    if (tags.length > 0) recorder.authorize(trace, 'TagResource', use, {}, facts);
    if (policy !== undefined) checkKeyPolicy(policy, request, use, ports.authorizer);
    return kind;
  }

  async #create(
    request: CreateKeyRequest,
    kind: Kind,
    made: Uint8Array | undefined,
    { trace, use }: { readonly trace: UseTrace; readonly use: KeyUse },
  ): Promise<KeyDescription> {
    const { description = '', tags = [], policy, alias, multiRegion = false } = request;
    const asked = { ...kind, description, tags, policy, alias, multiRegion, by: use.principal };
    const key = await storeNewKey(this.#changes, { ...asked, rotation: undefined, management: CUSTOMER }, trace, made);
    return describeKey(this.#changes.parts.ring, key);
  }
}

/** ERR_KEYS_INVALID_REQUEST. */
function kindAsked({ spec = 'SYMMETRIC_DEFAULT', usage, origin = 'AWS_KMS' }: CreateKeyRequest): Kind {
  const { usages } = kindOf(spec);
  if (usage === undefined && usages.length > 1)
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a key ${spec} needs a usage: ${usages.join(' or ')}`);
  const wanted = usage ?? usages[0];
  if (!usages.includes(wanted))
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', `KeyUsage ${wanted} is not compatible with KeySpec ${spec}`);
  return { spec, usage: wanted, origin };
}

/** Defaults count as given, as AWS has it. */
function createFacts(
  { tags = [], bypassLockoutCheck = false, multiRegion = false }: CreateKeyRequest,
  { spec, usage, origin }: Kind,
): RequestFacts {
  return {
    parameters: {
      KeySpec: spec,
      KeyUsage: usage,
      KeyOrigin: origin,
      MultiRegion: String(multiRegion),
      ...(multiRegion ? { MultiRegionKeyType: 'PRIMARY' } : {}),
      BypassPolicyLockoutSafetyCheck: String(bypassLockoutCheck),
    },
    ...(tags.length === 0 ? {} : { tags: tagRecord(tags) }),
  };
}

export function checkDescription(description: string): void {
  if (description.length > MAX_DESCRIPTION_CHARS || !description.isWellFormed()) {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `a description is well-formed text of at most ${MAX_DESCRIPTION_CHARS} characters`,
    );
  }
}
