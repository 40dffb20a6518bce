/**
 * A bucket's CORS configuration, and what it says to a browser. The first rule that fits origin, method and headers decides.
 * Source: Amazon S3 user guide, "Using cross-origin resource sharing"; answers as recorded from S3.
 */
import { childrenOf, childText, parseXml, type XmlTree } from '../listing/xml-tree.ts';
import type { S3Headers } from '../operation.ts';

export type CorsRule = {
  /** Each may hold one `*` for any run of characters. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposed: readonly string[];
  readonly maxAgeSeconds: string | undefined;
};

export type CorsQuestion = {
  readonly origin: string;
  readonly method: string;
  /** Names of headers the browser is going to send; of an actual request, none. */
  readonly headers: readonly string[];
};

/** Undefined for anything but a CORSConfiguration. */
export function parseCorsRules(xml: string): readonly CorsRule[] | undefined {
  const root = parseXml(xml, 'CORSConfiguration');
  return root === undefined ? undefined : childrenOf(root, 'CORSRule').map(parseRule);
}

const parseRule = (rule: XmlTree): CorsRule => ({
  origins: textsOf(rule, 'AllowedOrigin'),
  methods: textsOf(rule, 'AllowedMethod'),
  headers: textsOf(rule, 'AllowedHeader'),
  exposed: textsOf(rule, 'ExposeHeader'),
  maxAgeSeconds: childText(rule, 'MaxAgeSeconds')?.trim(),
});

const textsOf = (rule: XmlTree, name: string): readonly string[] =>
  childrenOf(rule, name).map(({ text }) => text.trim());

/** The headers that let the browser go on; undefined where no rule fits. */
export function corsAnswer(rules: readonly CorsRule[], asked: CorsQuestion): S3Headers | undefined {
  for (const rule of rules) {
    const origin = rule.origins.find((pattern) => fits(pattern, asked.origin));
    const isMeant = origin !== undefined && rule.methods.includes(asked.method) && allowsHeaders(rule, asked.headers);
    if (isMeant) return headersOf(rule, origin, asked);
  }
  return undefined;
}

const allowsHeaders = (rule: CorsRule, names: readonly string[]): boolean =>
  names.every((name) => rule.headers.some((pattern) => fits(pattern.toLowerCase(), name.toLowerCase())));

function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

function headersOf(rule: CorsRule, pattern: string, { origin, headers }: CorsQuestion): S3Headers {
  return {
    // Whoever allows every origin by name of none gets no credentials sent.
    'access-control-allow-origin': pattern === '*' ? '*' : origin,
    ...(pattern === '*' ? {} : { 'access-control-allow-credentials': 'true' }),
    'access-control-allow-methods': rule.methods.join(', '),
    ...(headers.length === 0 ? {} : { 'access-control-allow-headers': headers.join(', ').toLowerCase() }),
    ...(rule.exposed.length === 0 ? {} : { 'access-control-expose-headers': rule.exposed.join(', ') }),
    ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': rule.maxAgeSeconds }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}
