/**
 * Access as AWS's manual describes it, over raw JSON: slow, obvious, and sharing nothing with `src/keys/access`. For tests that hold
 * decisions on real calls against it. Where Sealgate is stricter than AWS (docs/ACCESS.md), so is this.
 */

export type NaiveStatement = {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | NaiveNames;
  readonly NotPrincipal?: NaiveNames;
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource?: readonly string[];
  readonly NotResource?: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
};
export type NaiveNames = { readonly AWS: readonly string[]; readonly Service?: string };

type Texts = Readonly<Record<string, string>>;

export type NaiveCaller = {
  readonly kind: 'User' | 'AssumedRole' | 'Account' | 'Service';
  readonly arn: string;
  readonly role?: string;
  readonly account?: string;
  readonly name?: string;
  readonly tags: Texts;
};
export type NaiveKey = {
  readonly arn: string;
  readonly id: string;
  tags: Texts;
  aliases: readonly string[];
  policy: readonly NaiveStatement[];
};
export type NaiveGrant = {
  readonly id: string;
  readonly key: string;
  readonly grantee: string;
  readonly operations: readonly string[];
  readonly context: Texts | undefined;
  readonly equals: boolean;
  readonly source: string | undefined;
};
export type NaiveRules = {
  /** By ARN. */
  readonly identities: ReadonlyMap<string, NaiveIdentity>;
  readonly organization: readonly (readonly NaiveStatement[])[];
  grants: readonly NaiveGrant[];
};
export type NaiveIdentity = {
  readonly policies: readonly NaiveStatement[];
  readonly boundaries: readonly (readonly NaiveStatement[])[];
};
export type NaiveRequest = {
  readonly caller: NaiveCaller;
  readonly action: string;
  readonly key: NaiveKey | undefined;
  readonly context: Texts;
  /** What conditions see besides; a name that is missing is absent. */
  readonly facts: Readonly<Record<string, string | undefined>>;
  readonly source: string | undefined;
};

/** Of those that the tests ask. */
const ACROSS_ACCOUNTS =
  /^(?:Encrypt|Decrypt|GenerateDataKey.*|ReEncrypt(?:From|To)|DescribeKey|ListGrants|GetKeyRotationStatus)$/u;
export const WITH_CONTEXT = /^(?:Encrypt|Decrypt|GenerateDataKey.*|ReEncrypt(?:From|To))$/u;

export function naivelyAllowed(request: NaiveRequest, rules: NaiveRules, home: string): boolean {
  const { caller, key, action } = request;
  const { policies, boundaries } = rules.identities.get(caller.arn) ?? { policies: [], boundaries: [] };
  const bounds = [...boundaries, ...rules.organization];
  const named = (key?.policy ?? []).map((one) => ({ one, how: howNamed(one, caller) })).filter(({ how }) => how !== '');
  const speaking = named.filter(({ one }) => speaksOf(one, request));
  const denies = [...speaking.map(({ one }) => one), ...[...policies, ...bounds.flat()].filter(speaks(request))];
  if (denies.some(({ Effect }) => Effect === 'Deny')) return false;
  const allows = (list: readonly NaiveStatement[]): boolean =>
    list.some((one) => one.Effect === 'Allow' && speaksOf(one, request));
  if (!bounds.every(allows)) return false;
  const own = caller.kind === 'Account' || allows(policies);
  const isHome = caller.account === home;
  if (!isHome && !ACROSS_ACCOUNTS.test(action)) return false;
  if (key === undefined) return own;
  const alone = isHome || caller.kind === 'Service';
  const by = (how: string): boolean => speaking.some((each) => each.one.Effect === 'Allow' && each.how === how);
  if (by('direct') && (alone || own)) return true;
  if (by('account') && own) return true;
  return rules.grants.some((grant) => isGranted(grant, request, key) && granteeHas(grant, caller, own, alone));
}

function granteeHas({ grantee }: NaiveGrant, caller: NaiveCaller, own: boolean, alone: boolean): boolean {
  if (grantee === caller.arn || grantee === caller.role) return alone || own;
  return caller.account !== undefined && grantee === rootOf(caller.account) && own;
}

function isGranted(grant: NaiveGrant, { action, context, caller, source }: NaiveRequest, key: NaiveKey): boolean {
  if (grant.key !== key.arn || !grant.operations.includes(action)) return false;
  if (grant.source !== undefined && (caller.kind !== 'Service' || grant.source !== source)) return false;
  if (grant.context === undefined || !WITH_CONTEXT.test(action)) return true;
  const pairs = Object.entries(grant.context);
  return (
    pairs.every(([name, value]) => context[name] === value) &&
    (!grant.equals || pairs.length === Object.keys(context).length)
  );
}

const rootOf = (account: string): string => `arn:aws:iam::${account}:root`;

/** '' for not at all. */
function howNamed({ Principal, NotPrincipal }: NaiveStatement, caller: NaiveCaller): 'direct' | 'account' | '' {
  const { account, arn, role, kind } = caller;
  const names = NotPrincipal ?? Principal ?? '*';
  if (names === '*') return 'direct';
  const lists = (name: string | undefined): boolean => name !== undefined && names.AWS.includes(name);
  const listsAccount = account !== undefined && (lists(account) || lists(rootOf(account)));
  if (NotPrincipal !== undefined) {
    if (lists('*') || (kind === 'Service' && names.Service === arn)) return '';
    const isSpared = listsAccount && (kind === 'Account' || (lists(arn) && (role === undefined || lists(role))));
    return isSpared ? '' : 'direct';
  }
  if (lists('*') || names.Service === arn || lists(arn) || lists(role)) return 'direct';
  if (!listsAccount) return '';
  return kind === 'Account' ? 'direct' : 'account';
}

const speaks =
  (request: NaiveRequest) =>
  (one: NaiveStatement): boolean =>
    speaksOf(one, request);

function speaksOf(one: NaiveStatement, request: NaiveRequest): boolean {
  const action = `kms:${request.action}`.toLowerCase();
  const actionIn = (list: readonly string[]): boolean => list.some((each) => glob(each.toLowerCase())?.test(action));
  if (one.Action !== undefined && !actionIn(one.Action)) return false;
  if (one.NotAction !== undefined && actionIn(one.NotAction)) return false;
  const arn = request.key?.arn ?? '*';
  const globs = (list: readonly string[]) => list.map((each) => glob(each, variable(request)));
  if (one.Resource !== undefined && !globs(one.Resource).some((each) => each?.test(arn))) return false;
  if (one.NotResource !== undefined) {
    const all = globs(one.NotResource);
    // A variable that stands for nothing helps no Allow.
    if (all.some((each) => each?.test(arn)) || (one.Effect === 'Allow' && all.includes(undefined))) return false;
  }
  return Object.entries(one.Condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([name, values]) => holds(operator, name, values, request, one.Effect)),
  );
}

/** 'both': two names that differ in case alone. */
function valuesOf(name: string, { caller, key, context, facts }: NaiveRequest): readonly string[] | undefined | 'both' {
  const low = name.toLowerCase();
  const pairs: readonly (readonly [string, Texts | undefined])[] = [
    ['kms:encryptioncontext:', context],
    ['aws:resourcetag/', key?.tags],
    ['aws:principaltag/', caller.tags],
  ];
  for (const [prefix, texts] of pairs) {
    if (!low.startsWith(prefix)) continue;
    const found = Object.entries(texts ?? {}).filter(([each]) => each.toLowerCase() === low.slice(prefix.length));
    return found.length > 1 ? 'both' : found.length === 0 ? undefined : found.map(([, value]) => value);
  }
  if (low === 'kms:encryptioncontextkeys') return Object.keys(context);
  if (low === 'kms:resourcealiases') return key?.aliases;
  const isService = caller.kind === 'Service';
  const known: Readonly<Record<string, string | undefined>> = {
    'kms:calleraccount': caller.account,
    'kms:keyspec': key === undefined ? undefined : 'SYMMETRIC_DEFAULT',
    'aws:principalarn': isService ? undefined : (caller.role ?? caller.arn),
    'aws:principaltype': caller.kind,
    'aws:username': caller.name,
    ...facts,
  };
  const value = known[low];
  return value === undefined ? undefined : [value];
}

/** What a policy variable stands for. */
const variable =
  (request: NaiveRequest) =>
  (inner: string): string | undefined => {
    const [name = '', otherwise] = inner.split(/,\s*/u);
    const value = valuesOf(name, request);
    if (value === undefined) return otherwise?.replaceAll("'", '');
    return value !== 'both' && value.length === 1 ? value[0] : undefined;
  };

function holds(
  operator: string,
  name: string,
  values: readonly string[],
  request: NaiveRequest,
  effect: 'Allow' | 'Deny',
): boolean {
  const [, set = '', base = '', ifExists] = /^(?:(ForAnyValue|ForAllValues):)?(.*?)(IfExists)?$/u.exec(operator) ?? [];
  const found = valuesOf(name, request);
  if (base === 'Null') return values.includes(String(found === undefined || found.length === 0));
  if (found === 'both') return effect === 'Deny';
  const isNot = base.includes('Not');
  const plain = base.replace('Not', '');
  const tests = values.map((value) => comparison(plain, value, variable(request)));
  if (isNot && effect === 'Allow' && tests.includes(undefined)) return false;
  if (found === undefined || found.length === 0)
    return ifExists !== undefined || set === 'ForAllValues' || (set === '' && isNot);
  const fits = (one: string): boolean => tests.some((test) => test?.(one) === true) !== isNot;
  return set === 'ForAllValues' || (set === '' && isNot) ? found.every(fits) : found.some(fits);
}

/** Undefined: a variable in it stands for nothing. */
function comparison(
  operator: string,
  value: string,
  read: (inner: string) => string | undefined,
): ((one: string) => boolean) | undefined {
  const isFolded = operator === 'StringEqualsIgnoreCase' || operator === 'Bool';
  if (operator === 'IpAddress') return (one) => one.startsWith(value.split('.0.0.0/8')[0] ?? value);
  if (operator === 'ArnLike' || operator === 'ArnEquals') {
    const parts = arnParts(value).map((part) => glob(part, read));
    return (one) => arnParts(one).every((part, at) => parts[at]?.test(part) === true);
  }
  const test = glob(value, read, operator !== 'StringLike', isFolded);
  return test === undefined ? undefined : (one) => test.test(one);
}

function arnParts(text: string): readonly string[] {
  const parts = text.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

/** `*` and `?` unless `literal`; `${…}` by `read`, undefined where that has nothing. */
function glob(
  text: string,
  read: (inner: string) => string | undefined = () => undefined,
  literal = false,
  fold = false,
): RegExp | undefined {
  const quoted = (plain: string): string => plain.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
  let pattern = '';
  for (const [piece] of text.matchAll(/\$\{[^}]*\}|[^]/gu)) {
    if (piece.length > 1 && piece.startsWith('${')) {
      const value = read(piece.slice(2, -1));
      if (value === undefined) return undefined;
      pattern += quoted(value);
    } else if (!literal && piece === '*') pattern += '[^]*';
    else if (!literal && piece === '?') pattern += '[^]';
    else pattern += quoted(piece);
  }
  return new RegExp(`^${pattern}$`, fold ? 'i' : '');
}
