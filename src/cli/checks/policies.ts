/**
 * Names in the config's policies that KMS does not have. As on AWS they are taken, since a policy may be written for more than ours; but a
 * Deny of a misspelt action denies nothing, and a misspelt condition key is absent from every request.
 */
import type { AccessConfig } from '../../config/config.ts';
import { nearest } from '../../config/nearest.ts';
import { GRANT_OPERATIONS } from '../../keys/access/grants/grant.ts';
import { isConditionKey, PARAMETERS } from '../../keys/access/policy/condition-key.ts';
import { compileGlob, type GlobToken } from '../../keys/access/policy/glob.ts';
import { parseTokens } from '../../keys/access/policy/template.ts';
import { ACTIONS } from '../../kms/actions/index-table.ts';
import type { CheckFinding } from './report.ts';

/** What policies of AWS KMS allow that no request asks for by this name. */
const OTHER_PERMISSIONS = ['SynchronizeMultiRegionKey'];
/** The action ReEncrypt rests on two permissions, of which none has its name. */
const PERMISSIONS = [...new Set([...ACTIONS.keys(), ...GRANT_OPERATIONS, ...OTHER_PERMISSIONS])].filter(
  (name) => name !== 'ReEncrypt',
);

/** Condition keys of KMS, as AWS spells them, after `kms:`. */
const CONDITION_KEYS = [
  ...PARAMETERS,
  ...['CallerAccount', 'EncryptionContextKeys', 'KeyOrigin', 'KeySpec', 'KeyUsage', 'MultiRegion'],
  ...['MultiRegionKeyType', 'ResourceAliases', 'ViaService'],
];

/** Condition keys that end in a name: how they are written. */
const NAMED_KEYS: Readonly<Record<string, (name: string) => string | undefined>> = {
  EncryptionContext: (name) => `kms:EncryptionContext:${name}`,
  ResourceTag: (name) => `aws:ResourceTag/${name}`,
  RequestTag: (name) => `aws:RequestTag/${name}`,
  PrincipalTag: (name) => `aws:PrincipalTag/${name}`,
  // Nothing here says as much: an encryption context is whatever its caller states.
  RecipientAttestation: () => undefined,
};

/** Of AWS KMS, for programs in enclaves; requests with an attestation (`Recipient`) are refused here. Source: Service Authorization Reference, KMS. */
const ATTESTATION_KEY = /^kms:RecipientAttestation:(?:ImageSha384|PCR(?:[12]?\d|3[01])|NitroTPMPCR(?:1?\d|2[0-3]))$/iu;

export function checkPolicies({ identities, organizationPolicies, defaultKeyPolicy }: AccessConfig): CheckFinding[] {
  const policies = [
    ...identities.flatMap(({ arn, policies: own, boundaries }) =>
      [...own, ...boundaries].map(({ name, document }) => ({ about: `policy ${name} of ${arn}`, document })),
    ),
    ...organizationPolicies.map(({ name, document }) => ({ about: `organization policy ${name}`, document })),
    ...(defaultKeyPolicy === undefined ? [] : [{ about: 'default key policy', document: defaultKeyPolicy }]),
  ];
  return policies.flatMap(({ about, document }) =>
    unknownNames(document).map((message) => ({ type: 'note', about, message }) as const),
  );
}

type Statement = {
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, object>>;
};

function unknownNames(document: string): readonly string[] {
  // It was parsed by the policy language when the config was read.
  const { Statement: given } = JSON.parse(document) as { readonly Statement: Statement | readonly Statement[] };
  const statements = [given].flat();
  return [...new Set(statements.flatMap((statement) => [...unknownActions(statement), ...unknownKeys(statement)]))];
}

function unknownActions({ Action, NotAction }: Statement): readonly string[] {
  // A key policy's statement may lack both.
  const actions = [Action ?? NotAction ?? []].flat();
  return actions.flatMap((action) => {
    const [service = '', pattern = ''] = action.split(':');
    if (service.toLowerCase() !== 'kms') return [];
    const tokens = parseTokens(pattern.toLowerCase(), { wildcards: true, variables: false });
    // Without variables all of them are wildcards and text.
    const glob = compileGlob(tokens as readonly GlobToken[]);
    if (PERMISSIONS.some((name) => glob.matches(name.toLowerCase()))) return [];
    return [`KMS has no action ${action}, no request asks for it${hint(actionMeant(pattern))}`];
  });
}

function actionMeant(pattern: string): string | undefined {
  if (pattern.toLowerCase() === 'reencrypt') return 'kms:ReEncryptFrom and kms:ReEncryptTo';
  const near = nearest(pattern, PERMISSIONS);
  return near === undefined ? undefined : `kms:${near}`;
}

function unknownKeys({ Condition = {} }: Statement): readonly string[] {
  // Operators, and under each of them condition keys.
  const keys = Object.values(Condition).flatMap((each) => Object.keys(each));
  return keys.flatMap((key) => {
    if (!key.toLowerCase().startsWith('kms:') || isConditionKey(key)) return [];
    if (ATTESTATION_KEY.test(key)) return [`a condition there looks at ${key}: AWS KMS has it, no request here does`];
    return [`no request has a ${key}, which a condition there looks at${hint(keyMeant(key))}`];
  });
}

function keyMeant(key: string): string | undefined {
  const written = key.slice('kms:'.length);
  if (isConditionKey(`aws:${written}`)) return `aws:${written}`;
  const [, word = '', name = '<name>'] = /^([^:/]*)(?:[:/](.*))?$/su.exec(written) ?? [];
  const near = nearest(word, [...CONDITION_KEYS, ...Object.keys(NAMED_KEYS)]);
  if (near === undefined) return undefined;
  const named = NAMED_KEYS[near];
  return named === undefined ? `kms:${near}` : named(name);
}

const hint = (meant: string | undefined): string => (meant === undefined ? '' : `; did you mean ${meant}?`);
