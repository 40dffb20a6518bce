/** Comparison of ARNs part by part: each of the six parts has its own wildcards, and none reaches over a colon but the last. */
import type { AccessRequest } from '../request.ts';
import { compileTemplate, type Template, type TemplateToken } from './template.ts';

const PARTS = 6;

/** undefined where the tokens are no ARN: fewer than six parts, and not `*` alone, which is any ARN. */
export function compileArnTemplate(tokens: readonly TemplateToken[]): Template | undefined {
  const [only, ...rest] = tokens;
  const parts =
    only?.type === 'many' && rest.length === 0 ? Array<readonly TemplateToken[]>(PARTS).fill(tokens) : split(tokens);
  if (parts.length < PARTS) return undefined;
  const templates = parts.map((part) => compileTemplate(part));
  return {
    matches: (text, request) => matchesAll(templates, text, request),
    resolves: (request) => templates.every((template) => template.resolves(request)),
    variables: templates.flatMap(({ variables }) => variables),
  };
}

function split(tokens: readonly TemplateToken[]): readonly (readonly TemplateToken[])[] {
  const parts: TemplateToken[][] = [[]];
  for (const token of tokens) {
    if (token.type !== 'text') {
      parts.at(-1)?.push(token);
      continue;
    }
    const texts = splitAtColons(token.text, PARTS - parts.length);
    for (const [index, text] of texts.entries()) {
      if (index > 0) parts.push([]);
      parts.at(-1)?.push({ type: 'text', text });
    }
  }
  return parts;
}

/** At most `cuts` cuts: the rest keeps its colons. */
function splitAtColons(text: string, cuts: number): readonly string[] {
  const parts: string[] = [];
  let rest = text;
  while (parts.length < cuts && rest.includes(':')) {
    const at = rest.indexOf(':');
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...parts, rest];
}

function matchesAll(templates: readonly Template[], text: string, request: AccessRequest): boolean {
  const parts = splitAtColons(text, PARTS - 1);
  return parts.length === PARTS && templates.every((template, index) => template.matches(parts[index] ?? '', request));
}
