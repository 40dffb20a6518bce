/**
 * A text of a policy that is compared with one of the request: fixed, with wildcards, or with policy variables (`${aws:username}`,
 * `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for the characters themselves).
 *
 * What a variable stands for is compared as it is: a `*` in a tag's value is no wildcard.
 */
import type { AccessRequest } from '../request.ts';
import { conditionKey, type ConditionKey } from './condition-key.ts';
import { compileGlob, type GlobToken } from './glob.ts';
import { malformed, shown } from './malformed.ts';

export type Variable = {
  readonly type: 'variable';
  readonly key: ConditionKey;
  readonly otherwise: string | undefined;
};
export type TemplateToken = GlobToken | Variable;

export type TemplateSyntax = { readonly wildcards: boolean; readonly variables: boolean };

/** A comparison that may depend on the request's own values. */
export type Template = {
  readonly matches: (text: string, request: AccessRequest) => boolean;
  /** Whether every variable stands for something in this request; where one does not, the template matches nothing. */
  readonly resolves: (request: AccessRequest) => boolean;
  readonly variables: readonly ConditionKey[];
};

const always = (): boolean => true;

/** ERR_KEYS_POLICY_MALFORMED for a variable that does not end or has no name. */
export function parseTokens(source: string, { wildcards, variables }: TemplateSyntax): readonly TemplateToken[] {
  const tokens: TemplateToken[] = [];
  let text = '';
  const push = (token: TemplateToken): void => {
    if (text !== '') tokens.push({ type: 'text', text });
    text = '';
    tokens.push(token);
  };
  for (let at = 0; at < source.length; at++) {
    const character = source[at] ?? '';
    if (variables && character === '$' && source[at + 1] === '{') {
      const end = source.indexOf('}', at);
      if (end < 0) throw malformed(`the policy variable in ${shown(source)} does not end`);
      push(parseVariable(source.slice(at + 2, end), source));
      at = end;
    } else if (wildcards && character === '*') push({ type: 'many' });
    else if (wildcards && character === '?') push({ type: 'one' });
    else text += character;
  }
  if (text !== '') tokens.push({ type: 'text', text });
  return tokens;
}

const VARIABLE = /^\s*([A-Za-z][\w:/=+.@-]*)\s*(?:,\s*'([^']*)'\s*)?$/;

function parseVariable(inner: string, source: string): TemplateToken {
  if (inner === '*' || inner === '?' || inner === '$') return { type: 'text', text: inner };
  const parts = VARIABLE.exec(inner);
  if (parts === null) throw malformed(`\${${inner}} in ${shown(source)} is no policy variable`);
  const [, name = '', otherwise] = parts;
  return { type: 'variable', key: conditionKey(name), otherwise };
}

/** `fold` makes the comparison blind to case. */
export function compileTemplate(tokens: readonly TemplateToken[], fold = false): Template {
  const folded = (text: string): string => (fold ? text.toLowerCase() : text);
  const own = tokens.map((token) => (token.type === 'text' ? { ...token, text: folded(token.text) } : token));
  const variables = own.flatMap((token) => (token.type === 'variable' ? [token] : []));
  if (variables.length === 0) {
    const glob = compileGlob(resolve(own, () => undefined) ?? []);
    return { matches: (text) => glob.matches(folded(text)), resolves: always, variables: [] };
  }
  const now = (request: AccessRequest): readonly GlobToken[] | undefined =>
    resolve(own, (variable) => valueOf(variable, request, folded));
  return {
    matches: (text, request) => {
      const resolved = now(request);
      return resolved !== undefined && compileGlob(resolved).matches(folded(text));
    },
    resolves: (request) => now(request) !== undefined,
    variables: variables.map(({ key }) => key),
  };
}

/** Variables replaced by what they stand for; undefined where one stands for nothing. */
function resolve(
  tokens: readonly TemplateToken[],
  read: (variable: Variable) => string | undefined,
): readonly GlobToken[] | undefined {
  const resolved: GlobToken[] = [];
  for (const token of tokens) {
    if (token.type !== 'variable') {
      resolved.push(token);
      continue;
    }
    const text = read(token);
    if (text === undefined) return undefined;
    resolved.push({ type: 'text', text });
  }
  return resolved;
}

function valueOf(
  { key, otherwise }: Variable,
  request: AccessRequest,
  folded: (text: string) => string,
): string | undefined {
  const value = key.read(request);
  if (value === undefined) return otherwise === undefined ? undefined : folded(otherwise);
  return typeof value === 'string' ? folded(value) : undefined;
}
