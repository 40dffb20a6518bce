/**
 * What callers of the S3 gateway may do there: decided by identity policies, boundaries and organization policies, an explicit deny first,
 * in the same language and by the same code as the use of keys. Keys are asked about besides: whoever may read an object reads it only if
 * they may decrypt with its key.
 *
 * A policy in which no action of S3 is named was written for keys: by default it neither gives nor takes anything here, except by what it
 * denies.
 */
import type { KeyRealm } from '../arn.ts';
import type { AuthorizationDecision } from '../options.ts';
import { anonymousPrincipal } from './anonymous.ts';
import { answer } from './answer.ts';
import { evaluate, type AccessRules } from './evaluate.ts';
import { explain, type Explanation } from './explain.ts';
import { makeIdentity, type Identity } from './identity.ts';
import { Identities } from './identities.ts';
import type { IdentitiesOptions } from './options.ts';
import { parsePolicy, type Policy } from './policy/policy.ts';
import type { ActionElement } from './policy/statement.ts';
import type { AccessRequest, RequestFacts } from './request.ts';
import type { NamedPolicy } from './scan.ts';

export type S3Question = {
  /** ARN of the caller, as the gateway authenticated it. */
  readonly principal: string;
  /** `s3:GetObject`. */
  readonly action: string;
  /** `arn:aws:s3:::bucket/key`. */
  readonly resource: string;
  readonly facts: RequestFacts;
};

/** `limited`: some policy speaks of S3; of a caller for whom none does there is nothing to ask. */
type Caller = { readonly identity: Identity; readonly limited: boolean };

export class S3Authorizer {
  readonly #realm: KeyRealm;
  readonly #identities: Identities;
  readonly #byDefault: 'everything' | 'nothing';
  readonly #now: () => number;
  readonly #everything = allowing('s3-by-default', 's3:*');
  /** What a bucket rule with `anonymous: read` says. */
  readonly #publicRead = allowing('anonymous-read', 's3:GetObject');
  readonly #callers = new WeakMap<Identity, Caller>();

  /** ERR_KEYS_POLICY_MALFORMED. */
  constructor(options: IdentitiesOptions, realm: KeyRealm, now: () => number) {
    this.#realm = realm;
    this.#identities = new Identities(options, { s3: '', postgres: '' });
    this.#byDefault = options.s3ByDefault ?? 'everything';
    this.#now = now;
  }

  /** The caller that requests without a signature have. */
  get anonymous(): string {
    return anonymousPrincipal(this.#realm.account);
  }

  isLimited(principal: string): boolean {
    return this.#caller(principal).limited;
  }

  decide(question: S3Question): AuthorizationDecision {
    const { identity } = this.#caller(question.principal);
    const request = this.#request(question, identity);
    return answer(request, evaluate(request, rulesFor(identity)));
  }

  /** The same with everything that was consulted. */
  explain(question: S3Question): Explanation {
    const { identity } = this.#caller(question.principal);
    return explain(this.#request(question, identity), rulesFor(identity));
  }

  #request({ action, resource, facts }: S3Question, { principal }: Identity): AccessRequest {
    const { region, account } = this.#realm;
    return {
      principal,
      action,
      resource: { type: 's3', arn: resource, account },
      encryptionContext: {},
      facts: { ...facts, s3: { resourceaccount: account, ...facts.s3 } },
      viaService: undefined,
      region,
      time: this.#now(),
    };
  }

  #caller(arn: string): Caller {
    const identity = this.#identities.of(arn, 's3');
    const known = this.#callers.get(identity);
    if (known !== undefined) return known;
    const made = this.#make(identity);
    this.#callers.set(identity, made);
    return made;
  }

  #make({ principal, policies, boundaries }: Identity): Caller {
    const isOpen = this.#byDefault === 'everything';
    const own = principal.type === 'anonymous' ? [...policies, this.#publicRead] : policies;
    const limits = isOpen ? boundaries.map((boundary) => this.#openUnlessNamed(boundary)) : boundaries;
    if (principal.type === 'anonymous') return { identity: makeIdentity(principal, own, limits), limited: true };
    const isNamed = own.some(({ policy }) => names(policy));
    const identity = makeIdentity(principal, isOpen && !isNamed ? [...own, this.#everything] : own, limits);
    const speaking = [...policies, ...boundaries].some(({ policy }) => policy.statements.some(speaks));
    return { identity, limited: speaking || !isOpen };
  }

  /** A boundary that was written for keys does not bound what is done with objects; what it denies stays denied. */
  #openUnlessNamed(boundary: NamedPolicy): NamedPolicy {
    if (names(boundary.policy)) return boundary;
    const statements = [...boundary.policy.statements, ...this.#everything.policy.statements];
    return { ...boundary, policy: { ...boundary.policy, statements } };
  }
}

/** Buckets and objects have no policies of their own here, and no grants. */
const rulesFor = (identity: Identity): AccessRules => ({
  identity,
  keyPolicy: undefined,
  grantsFor: () => [],
  grantsCrossAccounts: false,
});

const speaks = ({ actions }: Policy['statements'][number]): boolean =>
  actions !== undefined && (actions.negated || isAboutS3(actions) || actions.services.has('*'));

const isAboutS3 = ({ services }: ActionElement): boolean => services.has('s3');

const names = ({ statements }: Policy): boolean =>
  statements.some(({ actions }) => actions !== undefined && isAboutS3(actions));

function allowing(name: string, action: string): NamedPolicy {
  const document = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: action, Resource: '*' } };
  return { ref: { type: 'identity-policy', name }, policy: parsePolicy(JSON.stringify(document), 'identity') };
}
