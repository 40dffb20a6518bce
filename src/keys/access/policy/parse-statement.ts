/** One statement of a policy document. Errors: ERR_KEYS_POLICY_MALFORMED, naming the statement. */
import { compileCondition, type Condition } from './condition.ts';
import { compileGlob, type Glob, type GlobToken } from './glob.ts';
import type { JsonObject, JsonValue } from './json-text.ts';
import { malformed, shown } from './malformed.ts';
import { S3_CONDITION_KEYS } from './s3-conditions.ts';
import { parsePrincipals, type PrincipalElement } from './principal-element.ts';
import { object, onlyNames, scalars, text, texts } from './shape.ts';
import type { ActionElement, PolicyKind, ResourceElement, Statement } from './statement.ts';
import { compileTemplate, parseTokens } from './template.ts';

type Place = { readonly kind: PolicyKind; readonly variables: boolean; readonly number: number };
/** An element, its negation, and which of the two a statement has. */
type Chosen = { readonly name: string; readonly negated: boolean; readonly value: JsonValue };

const ELEMENTS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];
const MAX_SID_CHARS = 256;

export function parseStatement(value: JsonValue, place: Place): Statement {
  const where = `statement ${place.number}`;
  const statement = object(value, where);
  onlyNames(statement, ELEMENTS, where);
  const sid = parseSid(statement, where);
  const effect = statement.get('Effect');
  if (effect !== 'Allow' && effect !== 'Deny') throw malformed(`${where}: Effect is "Allow" or "Deny"`);
  const resources = parseResources(statement, place, where);
  return {
    sid,
    name: sid === undefined ? where : JSON.stringify(sid),
    effect,
    principals: parsePrincipalElement(statement, effect, place.kind, where),
    actions: parseActions(statement, place.kind, where),
    resources,
    conditions: parseConditions(statement, place, where),
  };
}

function parseSid(statement: JsonObject, where: string): string | undefined {
  if (!statement.has('Sid')) return undefined;
  const sid = text(statement.get('Sid'), `${where}: Sid`);
  if (sid.length > MAX_SID_CHARS) throw malformed(`${where}: Sid has more than ${MAX_SID_CHARS} characters`);
  return sid === '' ? undefined : sid;
}

function choose(statement: JsonObject, name: string, where: string): Chosen | undefined {
  const positive = statement.get(name);
  const negative = statement.get(`Not${name}`);
  if (positive !== undefined && negative !== undefined) throw malformed(`${where}: ${name} and Not${name} together`);
  if (positive !== undefined) return { name, negated: false, value: positive };
  return negative === undefined ? undefined : { name: `Not${name}`, negated: true, value: negative };
}

function parsePrincipalElement(
  statement: JsonObject,
  effect: 'Allow' | 'Deny',
  kind: PolicyKind,
  where: string,
): PrincipalElement | undefined {
  const chosen = choose(statement, 'Principal', where);
  if (kind === 'identity') {
    if (chosen !== undefined) throw malformed(`${where}: an identity policy has no ${chosen.name}`);
    return undefined;
  }
  if (chosen === undefined) throw malformed(`${where}: a key policy's statement has a Principal`);
  if (chosen.negated && effect === 'Allow') throw malformed(`${where}: NotPrincipal with Allow is not supported`);
  return parsePrincipals(chosen.value, chosen.negated, `${where}: ${chosen.name}`);
}

function parseActions(statement: JsonObject, kind: PolicyKind, where: string): ActionElement | undefined {
  const chosen = required(choose(statement, 'Action', where), kind, 'Action', where);
  if (chosen === undefined) return undefined;
  const actions = texts(chosen.value, `${where}: ${chosen.name}`);
  return {
    negated: chosen.negated,
    patterns: actions.map((action) => parseAction(action, where)),
    services: new Set(actions.map((action) => action.toLowerCase().split(':')[0] ?? '')),
  };
}

const ACTION = /^(?:\*|[a-z0-9-]+:[\w*?]+)$/;

function parseAction(action: string, where: string): Glob {
  const folded = action.toLowerCase();
  if (!ACTION.test(folded))
    throw malformed(`${where}: ${shown(action)} is no action; expected "*", kms:<action> or s3:<action>`);
  // The pattern allows no variables, so all tokens are wildcards and text.
  return compileGlob(parseTokens(folded, { wildcards: true, variables: false }) as readonly GlobToken[]);
}

function parseResources(statement: JsonObject, place: Place, where: string): ResourceElement | undefined {
  const chosen = required(choose(statement, 'Resource', where), place.kind, 'Resource', where);
  if (chosen === undefined) return undefined;
  const syntax = { wildcards: true, variables: place.variables };
  const templates = texts(chosen.value, `${where}: ${chosen.name}`).map((resource) => {
    if (resource !== '*' && !/^(?:arn:|\*|\$\{)/.test(resource)) {
      throw malformed(`${where}: ${shown(resource)} is no resource; expected "*" or an ARN`);
    }
    return compileTemplate(parseTokens(resource, syntax));
  });
  return { negated: chosen.negated, templates };
}

/** AWS KMS takes a key policy's statement that lacks one, and the statement does nothing. */
function required(chosen: Chosen | undefined, kind: PolicyKind, name: string, where: string): Chosen | undefined {
  if (chosen === undefined && kind === 'identity') throw malformed(`${where}: it has no ${name}`);
  return chosen;
}

function parseConditions(statement: JsonObject, { variables, kind }: Place, where: string): readonly Condition[] {
  const given = statement.get('Condition');
  if (given === undefined) return [];
  const conditions: Condition[] = [];
  for (const [operator, keys] of object(given, `${where}: Condition`)) {
    for (const [key, values] of object(keys, `${where}: Condition.${operator}`)) {
      const at = `${where}: Condition.${operator}[${shown(key)}]`;
      const condition = compileCondition(operator, key, scalars(values, at), variables, where);
      if (kind === 'identity') for (const { canonical } of condition.keys) refuseUnreadable(canonical, at);
      conditions.push(condition);
    }
  }
  return conditions;
}

function refuseUnreadable(canonical: string, at: string): void {
  if (!canonical.startsWith('s3:') || S3_CONDITION_KEYS.has(canonical.slice('s3:'.length))) return;
  throw malformed(
    `${at}: the gateway does not know the value of ${shown(canonical)}, so a condition on it would mislead`,
  );
}
