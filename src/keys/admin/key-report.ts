/** Every key with what is due, what rules protect with it, and who may use it: read beside the owner, using no key and recording nothing. */
import type { PolicyAuthorizer } from '../access/authorizer.ts';
import { approvals, strengthBits, type AlgorithmApproval } from '../life/algorithms/approval.ts';
import type { GrantStore } from '../access/grants/grant-store.ts';
import { describeKey } from './describe.ts';
import { destroyedKeys, type DestroyedKey } from './destroyed-keys.ts';
import { KeysError } from '../errors.ts';
import type { KeyDescription } from './key-admin.ts';
import type { KeyUsage } from '../key-kinds.ts';
import type { HeldKey, KeyRing } from '../key-ring.ts';
import type { AuthorizationQuestion, QuestionedKey } from '../options.ts';
import { readLife, type LimitsUsed } from '../life/life-report.ts';
import { serviceOfAlias } from '../managed/management.ts';
import { periodEnds } from '../life/periods/cryptoperiods.ts';
import type { KeyTerms } from '../life/terms/key-terms.ts';
import { questionedKey } from '../questioned-key.ts';
import { impliedFacts } from '../request-facts.ts';
import { readAccess, type AccessRead, type AccessReading } from '../read-access.ts';
import type { MaterialRecord } from '../records.ts';

export type ReportRequest = {
  /** What the config seals, and the key each names, as it names it. */
  readonly rules: readonly { readonly what: string; readonly keyId: string }[];
  /** ARNs of the callers that the config knows. */
  readonly callers: readonly string[];
};

export type KeyReport = {
  readonly keys: readonly ReportedKey[];
  /** Those that are no more. */
  readonly destroyed: readonly DestroyedKey[];
  /** Rules whose key is not here. */
  readonly missing: ReportRequest['rules'];
  /** Rules whose key is one of a service of ours, which is made on first use. */
  readonly unmade: ReportRequest['rules'];
};

export type ReportedKey = KeyDescription & {
  /** SP 800-57 part 1, tables 2 and 3. */
  readonly strengthBits: number;
  /** What NIST thinks of them today, and what is to come. */
  readonly algorithms: readonly AlgorithmApproval[];
  /** In the order of time. */
  readonly due: readonly {
    readonly what: Due;
    readonly at: string;
    readonly material?: number;
    /** Its time is past. */
    readonly over?: true;
  }[];
  /** Until when, and how much, its materials may protect and process, what happens then, and the operator’s reason. */
  readonly life: KeyTerms;
  readonly used: readonly LimitsUsed[];
  readonly protects: readonly string[];
  readonly users: readonly KeyUser[];
  readonly grants: readonly ReportedGrant[];
};

type Due =
  | 'rotation'
  | 'destruction'
  | 'end of imported material'
  /** Of a material, by its version: when it is to protect no more, and to process no more, by the standard. */
  | 'end of originator period'
  | 'end of recipient period';

/** By which doors a caller may use it; decided for an empty encryption context, whatever the key's state. */
export type KeyUser = {
  /** ARN, or `*`: callers of the gateway and the proxy that are not listed. */
  readonly principal: string;
  readonly protect: readonly Via[];
  readonly process: readonly Via[];
};
export type ReportedGrant = {
  readonly grantee: string;
  readonly operations: readonly string[];
  /** Holds for some encryption contexts alone. */
  readonly constrained: boolean;
};

const VIAS = ['kms', 's3', 'postgres'] as const;
type Via = (typeof VIAS)[number];

/** What stands for protecting and for processing, by what a key is for. */
const ACTIONS = {
  ENCRYPT_DECRYPT: { protect: 'GenerateDataKey', process: 'Decrypt' },
  SIGN_VERIFY: { protect: 'Sign', process: 'Verify' },
  GENERATE_VERIFY_MAC: { protect: 'GenerateMac', process: 'VerifyMac' },
  KEY_AGREEMENT: { protect: 'DeriveSharedSecret', process: 'DeriveSharedSecret' },
  ENCAPSULATE_DECAPSULATE: { protect: 'Encapsulate', process: 'Decapsulate' },
} as const satisfies Record<KeyUsage, { readonly protect: string; readonly process: string }>;

/** A caller of nobody's: what it may do, every caller may that is not listed. */
const UNLISTED_NAME = 'user/sealgate-report/not-listed';
const MAX_GRANTS_SHOWN = 1000;

/** Errors: as opening the store. */
export function readKeyReport(options: AccessReading, request: ReportRequest, now: () => number): Promise<KeyReport> {
  const unlisted = `arn:aws:iam::${options.account}:${UNLISTED_NAME}`;
  const { kmsTls = true } = options;
  return readAccess(options, now, (served, loaded) => {
    const nowMs = now();
    const [home] = served;
    const life = readLife(options, home, nowMs);
    const rules = request.rules.map((rule) => ({ ...rule, key: keyOf(home.ring, rule.keyId) }));
    const reported = ({ ring, grants, authorizer }: AccessRead, key: HeldKey): ReportedKey => {
      const terms = life.termsOf(key, ring.aliasesOf(key.record.keyId));
      const asked = questionedKey(ring, key);
      // Nobody names a key that we own.
      const callers = key.record.management.type === 'owned' ? [] : [...request.callers, unlisted];
      const users = callers.map((principal) => userOf(authorizer, key, asked, { principal, kmsTls }));
      return {
        ...describeKey(ring, key),
        strengthBits: strengthBits(key.record.spec),
        algorithms: approvals(key.record.spec, key.record.usage, new Date(nowMs).toISOString().slice(0, 10)),
        due: dueOf(key, terms, new Date(nowMs).toISOString()),
        life: terms,
        used: life.usedOf(key, terms),
        protects: rules.filter((rule) => rule.key === key).map(({ what }) => what),
        users: users
          .filter(({ protect, process }) => protect.length + process.length > 0)
          .map((user) => (user.principal === unlisted ? { ...user, principal: '*' } : user)),
        grants: grantsOf(grants, key),
      };
    };
    const keys = served.flatMap((read) => read.ring.everyKey().map((key) => reported(read, key)));
    const absent = rules.filter(({ key }) => key === undefined).map(({ what, keyId }) => ({ what, keyId }));
    const { missing = [], unmade = [] } = Object.groupBy(absent, ({ keyId }) =>
      serviceOfAlias(keyId, home.ring.realm) === undefined ? 'missing' : 'unmade',
    );
    return { keys, destroyed: destroyedKeys(loaded, home.ring.realm), missing, unmade };
  });
}

function keyOf(ring: KeyRing, keyId: string): HeldKey | undefined {
  try {
    return ring.find(keyId);
  } catch (error) {
    if (error instanceof KeysError) return undefined;
    throw error;
  }
}

function dueOf({ record, materials }: HeldKey, terms: KeyTerms, now: string): ReportedKey['due'] {
  const due: ReportedKey['due'][number][] = [];
  if (record.state === 'pending-deletion' && record.deletionDate !== undefined)
    due.push({ what: 'destruction', at: record.deletionDate });
  else if (record.rotation !== undefined) due.push({ what: 'rotation', at: record.rotation.nextAt });
  for (const { record: material } of materials.values()) due.push(...dueOfMaterial(terms, material));
  return due.sort((a, b) => (a.at < b.at ? -1 : 1)).map((each) => (each.at <= now ? { ...each, over: true } : each));
}

function dueOfMaterial(terms: KeyTerms, record: MaterialRecord): ReportedKey['due'] {
  const { originator, recipient } = periodEnds(terms, record);
  const ends = [
    { what: 'end of imported material', at: record.validTo },
    { what: 'end of originator period', at: originator },
    { what: 'end of recipient period', at: recipient },
  ] as const;
  return ends.flatMap(({ what, at }) => (at === undefined ? [] : [{ what, at, material: record.version }]));
}

function userOf(
  authorizer: PolicyAuthorizer,
  held: HeldKey,
  key: QuestionedKey,
  { principal, kmsTls }: { readonly principal: string; readonly kmsTls: boolean },
): KeyUser {
  const { protect, process } = actionsOf(held);
  const allowed = (action: string): readonly Via[] =>
    VIAS.filter((via) => {
      const question: AuthorizationQuestion = {
        principal,
        via,
        action,
        keyId: key.keyId,
        key,
        context: {},
        request: impliedFacts(key, action, via, kmsTls),
      };
      return authorizer.explain(question).allowed;
    });
  return { principal, protect: allowed(protect), process: allowed(process) };
}

/** Only symmetric keys make data keys. */
function actionsOf({ record: { spec, usage } }: HeldKey): { readonly protect: string; readonly process: string } {
  if (usage === 'ENCRYPT_DECRYPT' && spec !== 'SYMMETRIC_DEFAULT') return { protect: 'Encrypt', process: 'Decrypt' };
  return ACTIONS[usage];
}

function grantsOf(grants: GrantStore, { record }: HeldKey): readonly ReportedGrant[] {
  const given = grants.list({ by: 'key', keyId: record.keyId, after: undefined, limit: MAX_GRANTS_SHOWN });
  return given.map(({ grantee, operations, constraint, sourceArn }) => ({
    grantee,
    operations: [...operations],
    constrained: constraint !== undefined || sourceArn !== undefined,
  }));
}
