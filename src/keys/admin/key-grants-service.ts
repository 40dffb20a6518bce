/** Grants: made, listed, and taken back. */
import type { Grant } from '../access/grants/grant.ts';
import { deleteGrant, putGrant } from '../access/grants/grant-rows.ts';
import type { GrantStore } from '../access/grants/grant-store.ts';
import {
  checkNewGrant,
  checkPrincipal,
  isSameGrant,
  type GrantPrincipal,
  type GrantRequest,
  type NewGrant,
} from '../access/grants/new-grant.ts';
import { principalOf } from '../access/principal.ts';
import type { RequestFacts, RequestParameters } from '../access/request.ts';
import { assertNoAlias } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { endDryRun } from '../uses/dry-run.ts';
import { KeysError, UnknownArnError } from '../errors.ts';
import type { KeyChanges } from './key-changes.ts';
import type { GrantReference, KeyGrants } from './key-grants.ts';
import type { DryRun } from '../uses/key-operations.ts';
import { assertKeyUsable, type HeldKey, type KeyRing } from '../key-ring.ts';
import type { Page, PageRequest } from './key-settings.ts';
import { MAX_GRANTS_PER_KEY } from '../limits.ts';
import { assertChangesAllowed } from '../managed/managed-changes.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

const GRANT_ID = /^[0-9a-f]{64}$/;
const CONSTRAINT_TYPES = { equals: 'EncryptionContextEquals', subset: 'EncryptionContextSubset' } as const;

export class KeyGrantsService implements KeyGrants {
  readonly #changes: KeyChanges;
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #grants: GrantStore;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
    this.#ring = changes.parts.ring;
    this.#recorder = changes.parts.recorder;
    this.#grants = changes.parts.grants;
  }

  create(request: { keyId: string } & GrantRequest & DryRun, use: KeyUse): Promise<{ grantId: string; token: string }> {
    return this.#changes.make('CreateGrant', use, (trace) => {
      trace.isDryRun = request.dryRun;
      const key = this.#key(request.keyId, trace);
      const asked = this.#authorizeNew(request, key, use, trace);
      assertChangesAllowed(key, 'CreateGrant', use);
      assertKeyUsable(key);
      const known = asked.name === '' ? undefined : this.#sameGrant(key, asked);
      if (known === undefined) this.#assertRoom(key);
      endDryRun(request);
      const grant = known ?? this.#newGrant(key, asked, use);
      trace.detail = { grant: grant.grantId };
      return () => {
        if (known === undefined) this.#put(grant);
        return {
          grantId: grant.grantId,
          token: this.#grants.makeToken(grant.grantId, this.#changes.parts.ports.random),
        };
      };
    });
  }

  list(
    request: { keyId: string; grantId?: string | undefined; grantee?: GrantPrincipal | undefined } & PageRequest,
    use: KeyUse,
  ): Promise<Page<Grant>> {
    return this.#recorder.record('ListGrants', use, null, (trace) => {
      const key = this.#key(request.keyId, trace);
      this.#recorder.authorize(trace, 'ListGrants', use, {}, forAwsResource(use));
      const { grantId, grantee } = request;
      const { keyId } = key.record;
      if (grantId !== undefined) return this.#onlyGrant(key, grantId, grantee);
      return grantee === undefined
        ? this.#page({ by: 'key', keyId }, request)
        : this.#page({ by: 'grantee', keyId, grantee: checkPrincipal(grantee, 'Grantee') }, request);
    });
  }

  listRetirable(request: { retiring: GrantPrincipal } & PageRequest, use: KeyUse): Promise<Page<Grant>> {
    return this.#recorder.record('ListRetirableGrants', use, null, (trace) => {
      const retiring = checkPrincipal(request.retiring, 'Retiring');
      this.#recorder.authorizeAbout({ retirer: retiring }, trace, 'ListRetirableGrants', use, {});
      return this.#page({ by: 'retiring', retiring }, request);
    });
  }

  retire(request: { grant: GrantReference } & DryRun, use: KeyUse): Promise<void> {
    return this.#changes.make('RetireGrant', use, (trace) => {
      trace.isDryRun = request.dryRun;
      const grant = this.#referred(request.grant, trace);
      trace.detail = { grant: grant.grantId };
      const context = grant.constraint?.context ?? {};
      this.#recorder.authorizeAbout({ retiring: grant }, trace, 'RetireGrant', use, context, retireFacts(grant));
      endDryRun(request);
      return () => this.#remove(grant);
    });
  }

  revoke(request: { keyId: string; grantId: string } & DryRun, use: KeyUse): Promise<void> {
    return this.#changes.make('RevokeGrant', use, (trace) => {
      trace.isDryRun = request.dryRun;
      const key = this.#key(request.keyId, trace);
      this.#recorder.authorize(trace, 'RevokeGrant', use, {}, forAwsResource(use));
      const grant = this.#onKey(key, request.grantId);
      trace.detail = { grant: grant.grantId };
      endDryRun(request);
      return () => this.#remove(grant);
    });
  }

  #key(keyId: string, trace: UseTrace): HeldKey {
    assertNoAlias(keyId, this.#ring.realm);
    const key = this.#ring.find(keyId);
    trace.key = key;
    return key;
  }

  /** Who may not is told only that, also where the request is at fault. */
  #authorizeNew(request: GrantRequest, key: HeldKey, use: KeyUse, trace: UseTrace): NewGrant {
    const check = (): NewGrant => checkNewGrant(request, { arn: key.arn, ...key.record });
    const asked = succeeded(check);
    const subject = asked === undefined ? {} : { proposed: asked };
    // The encryption context that conditions look at is the one the grant would be for.
    const context = asked?.constraint?.context ?? {};
    this.#recorder.authorizeAbout(subject, trace, 'CreateGrant', use, context, createFacts(request, asked, use));
    return asked ?? check();
  }

  #sameGrant(key: HeldKey, asked: NewGrant): Grant | undefined {
    return this.#grants.named(key.record.keyId, asked.name).find((grant) => isSameGrant(grant, asked));
  }

  #assertRoom(key: HeldKey): void {
    if (this.#grants.count(key.record.keyId) < MAX_GRANTS_PER_KEY) return;
    throw new KeysError('ERR_KEYS_LIMIT', `Grants per key limit exceeded: ${MAX_GRANTS_PER_KEY}`);
  }

  #newGrant(key: HeldKey, asked: NewGrant, { principal }: KeyUse): Grant {
    return {
      ...asked,
      grantId: Buffer.from(this.#changes.parts.ports.random(32)).toString('hex'),
      keyId: key.record.keyId,
      region: key.record.region,
      issuingAccount: principalOf(principal).account ?? this.#ring.realm.account,
      issuedBy: principal,
      createdAt: this.#changes.now(),
    };
  }

  #put(grant: Grant): void {
    this.#changes.commit([putGrant(grant)]);
    this.#grants.changed(grant);
  }

  #remove(grant: Grant): void {
    this.#changes.commit([deleteGrant(grant)]);
    this.#grants.changed(grant);
  }

  #referred(reference: GrantReference, trace: UseTrace): Grant {
    if (reference.type === 'id') {
      checkGrantId(reference.grantId);
      const key = this.#key(reference.keyId, trace);
      const grant = this.#grants.find(reference.grantId);
      if (grant?.keyId === key.record.keyId) return grant;
      // Nobody has been asked yet whether the caller may know of the key.
      throw new UnknownArnError(key.arn, noGrant(key, reference.grantId));
    }
    const grant = this.#grants.byToken(reference.token);
    if (grant === undefined) throw new KeysError('ERR_KEYS_GRANT_TOKEN', 'a grant token is not valid');
    trace.key = this.#ring.byId(grant.keyId);
    return grant;
  }

  #onKey(key: HeldKey, grantId: string): Grant {
    checkGrantId(grantId);
    const grant = this.#grants.find(grantId);
    if (grant?.keyId === key.record.keyId) return grant;
    throw new KeysError('ERR_KEYS_NOT_FOUND', noGrant(key, grantId));
  }

  #onlyGrant(key: HeldKey, grantId: string, grantee: GrantPrincipal | undefined): Page<Grant> {
    const grant = this.#onKey(key, grantId);
    const fits = grantee === undefined || grant.grantee === checkPrincipal(grantee, 'Grantee');
    return { items: fits ? [grant] : [], more: false };
  }

  #page(filter: Filter, { after, limit }: PageRequest): Page<Grant> {
    const from = after === undefined ? undefined : Buffer.from(after, 'hex');
    const found = this.#grants.list({ ...filter, after: from, limit: limit + 1 });
    return { items: found.slice(0, limit), more: found.length > limit };
  }
}

const noGrant = ({ arn }: HeldKey, grantId: string): string => `Grant ID ${grantId} not found on ${arn}`;

function checkGrantId(grantId: string): void {
  if (!GRANT_ID.test(grantId))
    throw new KeysError('ERR_KEYS_GRANT_ID', `Invalid grant id: ${JSON.stringify(grantId.slice(0, 128))}`);
}

type Filter =
  | { readonly by: 'key'; readonly keyId: string }
  | { readonly by: 'grantee'; readonly keyId: string; readonly grantee: string }
  | { readonly by: 'retiring'; readonly retiring: string };

function succeeded<Result>(attempt: () => Result): Result | undefined {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof KeysError) return undefined;
    throw error;
  }
}

/** Made by our own gateway or proxy on a caller's behalf. */
function forAwsResource({ via }: KeyUse): RequestFacts {
  return { parameters: { GrantIsForAWSResource: String(via === 's3' || via === 'postgres') } };
}

function createFacts(request: GrantRequest, asked: NewGrant | undefined, use: KeyUse): RequestFacts {
  const { grantee, retiring, constraints } = request;
  return {
    parameters: {
      ...forAwsResource(use).parameters,
      ...constraintType(asked),
      ...(constraints?.sourceArn === undefined ? {} : { GrantConstraintSourceArn: constraints.sourceArn }),
      GrantOperations: request.operations,
      ...named(grantee, asked?.grantee, 'GranteePrincipal', 'GranteeServicePrincipal'),
      ...(retiring === undefined
        ? {}
        : named(retiring, asked?.retiring, 'RetiringPrincipal', 'RetiringServicePrincipal')),
    },
  };
}

/** `checked`: as the grant would keep it. */
function named(
  given: GrantPrincipal,
  checked: string | undefined,
  ofPrincipal: 'GranteePrincipal' | 'RetiringPrincipal',
  ofService: 'GranteeServicePrincipal' | 'RetiringServicePrincipal',
): RequestParameters {
  return typeof given === 'string' ? { [ofPrincipal]: checked ?? given } : { [ofService]: given.service };
}

const retireFacts = (grant: Grant): RequestFacts => ({ parameters: constraintType(grant) });

function constraintType(grant: Pick<Grant, 'constraint'> | undefined): RequestParameters {
  const type = grant?.constraint?.type;
  return type === undefined ? {} : { GrantConstraintType: CONSTRAINT_TYPES[type] };
}
