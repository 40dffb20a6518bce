/** What a new grant must be (field notes 3.3). Errors: ERR_KEYS_INVALID_REQUEST, ERR_KEYS_INVALID_ARN. */
import type { EncryptionContext } from '../../../envelope/encryption-context.ts';
import { KeysError } from '../../errors.ts';
import { isServiceName } from '../principal.ts';
import { parsePrincipalArn } from '../policy/principal-element.ts';
import { shown } from '../policy/malformed.ts';
import type { KeyFacts } from '../request.ts';
import { CONTEXT_OPERATIONS } from './constraint.ts';
import { isGrantOperation, type GrantConstraint, type GrantOperation, type GrantPermissions } from './grant.ts';

/** ARN of an account, user, role, role session or federated user; or a service, by its name. */
export type GrantPrincipal = string | { readonly service: string };

/** As a request gives it. */
export type GrantRequest = {
  readonly grantee: GrantPrincipal;
  readonly retiring?: GrantPrincipal | undefined;
  readonly operations: readonly string[];
  /** At most one of `equals` and `subset`; an empty one counts as not given. */
  readonly constraints?:
    | {
        readonly equals?: EncryptionContext | undefined;
        readonly subset?: EncryptionContext | undefined;
        readonly sourceArn?: string | undefined;
      }
    | undefined;
  readonly name?: string | undefined;
};

/** A request that was checked. */
export type NewGrant = GrantPermissions & {
  readonly grantee: string;
  readonly retiring: string | undefined;
  readonly name: string;
};

const ALWAYS: readonly GrantOperation[] = ['CreateGrant', 'DescribeKey', 'RetireGrant'];
const SYMMETRIC: readonly GrantOperation[] = [...ALWAYS, ...CONTEXT_OPERATIONS];

/** What a key of this usage can do, and a grant on it may allow. */
const BY_USAGE: Readonly<Record<string, readonly GrantOperation[]>> = {
  ENCRYPT_DECRYPT: [...ALWAYS, 'Decrypt', 'Encrypt', 'GetPublicKey', 'ReEncryptFrom', 'ReEncryptTo'],
  SIGN_VERIFY: [...ALWAYS, 'GetPublicKey', 'Sign', 'Verify'],
  GENERATE_VERIFY_MAC: [...ALWAYS, 'GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: [...ALWAYS, 'DeriveSharedSecret', 'GetPublicKey'],
  ENCAPSULATE_DECAPSULATE: [...ALWAYS, 'Decapsulate', 'Encapsulate', 'GetPublicKey'],
};

const MAX_PAIRS = 8;
const MAX_CONSTRAINT_CHARS = 384;
const SOURCE_ARN = /^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$/;
const NAME = /^[a-zA-Z0-9:/_-]{0,256}$/;

export function checkNewGrant(request: GrantRequest, key: Pick<KeyFacts, 'arn' | 'spec' | 'usage'>): NewGrant {
  const { grantee, retiring, name = '', constraints } = request;
  if (!NAME.test(name)) throw invalid('a grant’s name has at most 256 of a-z A-Z 0-9 : / _ -');
  const operations = checkOperations(request.operations, key);
  const constraint = checkConstraint(constraints);
  if (constraint !== undefined && key.spec !== 'SYMMETRIC_DEFAULT') {
    throw invalid(`encryption context constraints need a symmetric encryption key; ${key.arn} is ${key.spec}`);
  }
  if (typeof grantee !== 'string') checkServiceGrant(request);
  return {
    grantee: checkPrincipal(grantee, 'Grantee'),
    retiring: retiring === undefined ? undefined : checkPrincipal(retiring, 'Retiring'),
    operations,
    constraint,
    sourceArn: constraints?.sourceArn === undefined ? undefined : checkSourceArn(constraints.sourceArn),
    name,
  };
}

/** A service acts for many: without its source the grant would be for all of them. Nobody of the account would be there to retire it. */
function checkServiceGrant({ retiring, constraints }: GrantRequest): void {
  if (constraints?.sourceArn === undefined)
    throw invalid('A grant to a GranteeServicePrincipal needs the grant constraint SourceArn.');
  if (retiring === undefined)
    throw invalid('A grant to a GranteeServicePrincipal needs a RetiringPrincipal or a RetiringServicePrincipal.');
}

function checkSourceArn(text: string): string {
  if (text.length > 512 || !SOURCE_ARN.test(text)) throw invalid('the grant constraint SourceArn is no ARN');
  return text;
}

/** As grants keep it: an ARN, or the name of a service. ERR_KEYS_INVALID_ARN, ERR_KEYS_INVALID_REQUEST. */
export function checkPrincipal(given: GrantPrincipal, role: 'Grantee' | 'Retiring'): string {
  if (typeof given === 'string') return checkPrincipalArn(given, `${role}Principal`);
  if (isServiceName(given.service)) return given.service;
  throw invalid(`${role}ServicePrincipal: ${shown(given.service)} is no name of a service`);
}

/** The ARN under which grants to it are looked up: an account’s is its root’s. ERR_KEYS_INVALID_ARN. */
export function checkPrincipalArn(text: string, what: string): string {
  const entry = parsePrincipalArn(text);
  if (entry?.type === 'account') return `arn:aws:iam::${entry.account}:root`;
  if (entry?.type === 'arn') return entry.arn;
  throw new KeysError(
    'ERR_KEYS_INVALID_ARN',
    `${what}: ${shown(text)} is no ARN of an account, user, role, role session or federated user`,
  );
}

function checkOperations(
  given: readonly string[],
  key: Pick<KeyFacts, 'arn' | 'spec' | 'usage'>,
): readonly GrantOperation[] {
  if (given.length === 0) throw invalid('a grant allows at least one operation');
  const possible = key.spec === 'SYMMETRIC_DEFAULT' ? SYMMETRIC : (BY_USAGE[key.usage] ?? []);
  const operations = new Set<GrantOperation>();
  for (const operation of given) {
    if (!isGrantOperation(operation)) throw invalid(`${shown(operation)} is no grant operation`);
    if (!possible.includes(operation)) {
      throw invalid(`a grant on ${key.arn} (${key.spec}, ${key.usage}) cannot allow ${operation}`);
    }
    operations.add(operation);
  }
  return [...operations].sort();
}

function checkConstraint(constraints: GrantRequest['constraints']): GrantConstraint | undefined {
  const given = (['equals', 'subset'] as const).flatMap((type) => {
    const context = constraints?.[type] ?? {};
    return Object.keys(context).length === 0 ? [] : [{ type, context }];
  });
  if (given.length > 1) throw invalid('a grant has one constraint, EncryptionContextEquals or EncryptionContextSubset');
  const [constraint] = given;
  if (constraint !== undefined) checkContext(constraint.context);
  return constraint;
}

function checkContext(context: EncryptionContext): void {
  const names = Object.keys(context);
  const pairs = Object.entries(context);
  if (names.length > MAX_PAIRS) throw invalid(`a grant constraint has at most ${MAX_PAIRS} pairs`);
  if (pairs.some(([name, value]) => name.length > MAX_CONSTRAINT_CHARS || value.length > MAX_CONSTRAINT_CHARS)) {
    throw invalid(`names and values in a grant constraint have at most ${MAX_CONSTRAINT_CHARS} characters`);
  }
  if (!pairs.every(([name, value]) => name.isWellFormed() && value.isWellFormed())) {
    throw invalid('a grant constraint is well-formed text');
  }
  // AWS compares these names without case, we with it: names that differ in nothing else would mean two things.
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw invalid('names in a grant constraint must not differ only in case');
  }
}

function invalid(message: string): KeysError {
  return new KeysError('ERR_KEYS_INVALID_REQUEST', message);
}

/** Whether a request of the same name asks for just this grant again. */
export function isSameGrant(a: NewGrant, b: NewGrant): boolean {
  return canonical(a) === canonical(b);
}

function canonical({ name, grantee, retiring, operations, constraint, sourceArn }: NewGrant): string {
  const constraints = [constraint?.type, sortedPairs(constraint), sourceArn];
  return JSON.stringify([name, grantee, retiring, [...operations].sort(), ...constraints]);
}

function sortedPairs(constraint: GrantConstraint | undefined): readonly (readonly [string, string])[] {
  return Object.entries(constraint?.context ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
