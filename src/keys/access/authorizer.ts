/**
 * Answers the key manager's questions by policies and grants. Everything it decides on is handed to it or read at that moment:
 * it holds nothing that could be out of date but the cache, whose entries die with what they were made from.
 */
import { aliasArn, type KeyRealm } from '../arn.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { AuthorizationDecision, AuthorizationQuestion, KeyAuthorizer, QuestionedKey } from '../options.ts';
import { answer } from './answer.ts';
import { formatDecision, type Decision } from './decision.ts';
import { defaultKeyPolicy } from './default-policies.ts';
import { DecisionCache, decidingValues, keep, type CachedDecisions } from './decision-cache.ts';
import { evaluate, type AccessRules } from './evaluate.ts';
import { explain, type Explanation } from './explain.ts';
import type { Grant, GrantSource } from './grants/grant.ts';
import { CONTEXT_OPERATIONS } from './grants/constraint.ts';
import { RepeatedQuestions } from './repeated-questions.ts';
import { evaluateOwnGrants, evaluateRetirement } from './grants/retire.ts';
import { Identities } from './identities.ts';
import type { AccessOptions, IdentitiesOptions, ViaServices } from './options.ts';
import type { Identity } from './identity.ts';
import { assertNoLockout } from './lockout.ts';
import { KeyPolicies } from './key-policies.ts';
import { parsePolicy, type Policy } from './policy/policy.ts';
import type { AccessRequest, AccessResource, RequestFacts } from './request.ts';

/** Asked so often, and of requests that differ so little, that their decisions are kept. */
const KEPT: ReadonlySet<string> = new Set([
  ...CONTEXT_OPERATIONS,
  'DescribeKey',
  'GetPublicKey',
  'GenerateMac',
  'VerifyMac',
  'Sign',
  'Verify',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
]);

/** Who runs commands beside the store holds the secret that unseals it: nothing could be kept from them, and no policy can lock them out. */
const OPERATOR: AuthorizationDecision = { allow: true, why: formatDecision({ allow: true, by: { type: 'operator' } }) };

/** Our proxy keeps a second copy of a wrapped data key it has just been given; no caller can ask for that by itself. */
const ESCROW: AuthorizationDecision = { allow: true, why: 'comes with GenerateDataKey' };

export class PolicyAuthorizer implements KeyAuthorizer {
  readonly #realm: KeyRealm;
  readonly #grants: GrantSource;
  readonly #via: ViaServices;
  readonly #policies: KeyPolicies;
  readonly #grantsCrossAccounts: boolean;
  readonly #now: () => number;
  readonly #cache = new DecisionCache();
  readonly #repeated = new RepeatedQuestions();
  #identities: Identities;

  constructor(options: AccessOptions, realm: KeyRealm, grants: GrantSource, now: () => number) {
    this.#realm = realm;
    this.#grants = grants;
    this.#via = { s3: `s3.${realm.region}.amazonaws.com`, postgres: `rds.${realm.region}.amazonaws.com` };
    this.#identities = new Identities(options, this.#via);
    this.#policies = new KeyPolicies(options.defaultKeyPolicy ?? defaultKeyPolicy(realm.account));
    this.#grantsCrossAccounts = options.grantsCrossAccounts;
    this.#now = now;
  }

  /** In effect from the next question on; ERR_KEYS_POLICY_MALFORMED, and then nothing has changed. */
  replaceIdentities(options: IdentitiesOptions): void {
    this.#identities = new Identities(options, this.#via);
  }

  decide(question: AuthorizationQuestion): AuthorizationDecision {
    if (question.via === 'cli') return OPERATOR;
    if (question.action === 'EscrowDataKey' && question.via !== 'kms') return ESCROW;
    const identities = this.#identities;
    const known = this.#repeated.decision(question, identities, this.#grants);
    if (known !== undefined) return known;
    const { key, action, via, principal } = question;
    const identity = identities.of(principal, via);
    if (key === undefined || !KEPT.has(action)) return this.#decideNow(question, identity).decision;
    const basis = { key, identity, grants: this.#grants.version(key.keyId) };
    const name = `${via} ${principal} ${action} ${key.keyId}`;
    const entry = this.#cache.entry(name, basis, () => this.#consulted(identity, key), action);
    const decision = this.#decideKept(question, identity, entry);
    if (entry.keys !== undefined) this.#repeated.keep(question, { identities, grants: basis.grants, decision });
    return decision;
  }

  explain(question: AuthorizationQuestion): Explanation {
    if (question.via === 'cli') return { allowed: true, why: OPERATOR.why, missing: [], statements: [], grants: [] };
    const identity = this.#identities.of(question.principal, question.via);
    return explain(this.#request(question, identity), this.#rules(question, identity));
  }

  checkLockout(policy: string, use: KeyUse, key: QuestionedKey = this.#unmadeKey()): void {
    if (use.via === 'cli') return;
    const { principal, via, request = {} } = use;
    const question = { principal, via, request, action: 'PutKeyPolicy', keyId: key.keyId, key, context: {} };
    assertNoLockout(parsePolicy(policy, 'key'), this.#request(question, this.#identities.of(principal, via)));
  }

  #decideKept(question: AuthorizationQuestion, identity: Identity, entry: CachedDecisions): AuthorizationDecision {
    if (entry.keys === undefined) return this.#decideNow(question, identity).decision;
    const settled = entry.keys.length === 0 && !entry.wholeContext;
    const values = settled ? '' : decidingValues(this.#request(question, identity), entry.keys, entry.wholeContext);
    const kept = entry.byValues.get(values);
    if (kept !== undefined) return kept;
    const { decision, constrained } = this.#decideNow(question, identity);
    // From the first grant with a constraint on, what was kept is no answer to another encryption context or source.
    if (constrained && !entry.wholeContext) {
      entry.wholeContext = true;
      entry.byValues.clear();
      return decision;
    }
    keep(entry, values, decision);
    return decision;
  }

  /** `constrained`: a grant with a constraint was looked at. */
  #decideNow(
    question: AuthorizationQuestion,
    identity: Identity,
  ): { decision: AuthorizationDecision; constrained: boolean } {
    const request = this.#request(question, identity);
    let constrained = false;
    const rules = this.#rules(question, identity, (grants) => {
      constrained ||= grants.some(({ constraint, sourceArn }) => constraint !== undefined || sourceArn !== undefined);
    });
    return { decision: answer(request, decideBy(question, request, rules)), constrained };
  }

  #rules(
    { key, proposed }: AuthorizationQuestion,
    identity: Identity,
    seen?: (grants: readonly Grant[]) => void,
  ): AccessRules {
    return {
      identity,
      keyPolicy: key === undefined ? undefined : this.#policies.of(key),
      grantsFor: (grantee) => {
        const grants = key === undefined ? [] : this.#grants.of(key.keyId, grantee);
        seen?.(grants);
        return grants;
      },
      proposed,
      grantsCrossAccounts: this.#grantsCrossAccounts,
    };
  }

  #consulted(identity: Identity, key: QuestionedKey): readonly Policy[] {
    const keyPolicy = this.#policies.of(key);
    return [
      ...(keyPolicy === undefined ? [] : [keyPolicy]),
      ...identity.policies.map(({ policy }) => policy),
      ...identity.boundaries.map(({ policy }) => policy),
    ];
  }

  #request(question: AuthorizationQuestion, { principal }: Identity): AccessRequest {
    const { via, action, context, request } = question;
    return {
      principal,
      action,
      resource: this.#resource(question),
      encryptionContext: context,
      facts: via === 'kms' ? request : inProcess(request),
      viaService: via === 's3' || via === 'postgres' ? this.#via[via] : undefined,
      region: this.#realm.region,
      time: this.#now(),
    };
  }

  #resource({ key, alias }: AuthorizationQuestion): AccessResource {
    const { account } = this.#realm;
    if (key !== undefined) return { type: 'key', key };
    return alias === undefined
      ? { type: 'none', account }
      : { type: 'alias', arn: aliasArn(this.#realm, alias), account };
  }

  /** Stands for a key that is about to be made: a policy cannot name its ARN yet. */
  #unmadeKey(): QuestionedKey {
    const { account, region } = this.#realm;
    const keyId = '00000000-0000-0000-0000-000000000000';
    const arn = `arn:aws:kms:${region}:${account}:key/${keyId}`;
    return {
      keyId,
      arn,
      account,
      spec: '',
      usage: '',
      origin: '',
      multiRegion: false,
      tags: {},
      aliases: [],
      policy: undefined,
    };
  }
}

function decideBy(
  { key, retiring, retirer }: AuthorizationQuestion,
  request: AccessRequest,
  rules: AccessRules,
): Decision {
  if (key !== undefined && rules.keyPolicy === undefined)
    return { allow: false, by: { type: 'key-policy-unreadable' } };
  const { type, arn } = request.principal;
  if (type === 'service' && arn === retirer) return evaluateOwnGrants(request, rules);
  return retiring === undefined ? evaluate(request, rules) : evaluateRetirement(request, rules, retiring);
}

/** Our own gateway and proxy call without a network in between. */
function inProcess(request: RequestFacts): RequestFacts {
  return request.secureTransport === undefined ? { ...request, secureTransport: true } : request;
}
