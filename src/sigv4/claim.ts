/**
 * What a request claims about its signature, read from the Authorization header or from the query of a presigned URL. Nothing is
 * believed here; `verify.ts` decides.
 */
import { SigV4Error } from './errors.ts';
import { decodeQueryPart } from './percent-encoding.ts';
import { ALGORITHM, type CredentialScope } from './signing-key.ts';
import { formatTimestamp, parseTimestamp } from './timestamp.ts';

export type SignatureClaim = {
  readonly type: 'header' | 'presigned';
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  /** Lower-case, as the client ordered them. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
  /** As signed, and in milliseconds since 1970. */
  readonly timestamp: string;
  readonly time: number;
  /** Presigned only: seconds of validity. */
  readonly expiresSeconds: number;
  readonly sessionToken: string | undefined;
  /** Presigned only: `X-Amz-Content-Sha256`, where it is given. */
  readonly contentSha256: string | undefined;
};

type Source = { readonly query: string; readonly headers: Readonly<Record<string, string>> };

/** Seven days. */
export const MAX_PRESIGNED_SECONDS = 7 * 24 * 3600;

/** Reads the claim. Throws SigV4Error: ANONYMOUS, UNSUPPORTED, MALFORMED, TWO_MECHANISMS. */
export function parseClaim(request: Source): SignatureClaim {
  const authorization = request.headers['authorization'];
  const parameters = presignedParameters(request.query);
  if (authorization !== undefined && parameters !== undefined) throw new SigV4Error('ERR_SIGV4_TWO_MECHANISMS');
  if (authorization !== undefined) return parseHeaderClaim(authorization, request.headers);
  if (parameters !== undefined) return parsePresignedClaim(parameters);
  throw new SigV4Error('ERR_SIGV4_ANONYMOUS');
}

function parseHeaderClaim(authorization: string, headers: Source['headers']): SignatureClaim {
  const space = authorization.indexOf(' ');
  const scheme = space < 0 ? authorization : authorization.slice(0, space);
  if (scheme !== ALGORITHM) throw new SigV4Error('ERR_SIGV4_UNSUPPORTED');
  const fields = parseFields(authorization.slice(space + 1));
  return {
    type: 'header',
    ...parseCredential(fields.get('Credential'), false),
    signedHeaders: parseSignedHeaders(fields.get('SignedHeaders'), false),
    signature: parseSignature(fields.get('Signature'), false),
    ...parseHeaderTime(headers),
    expiresSeconds: 0,
    sessionToken: headers['x-amz-security-token'],
    contentSha256: undefined,
  };
}

/** `Credential=..., SignedHeaders=..., Signature=...`, with or without spaces, each once. */
function parseFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, equals).trim();
    if (equals < 0 || fields.has(name))
      throw new SigV4Error('ERR_SIGV4_MALFORMED', 'The authorization header is malformed.');
    fields.set(name, field.slice(equals + 1).trim());
  }
  return fields;
}

export function parseCredential(
  text: string | undefined,
  presigned: boolean,
): { accessKeyId: string; scope: CredentialScope } {
  // Access keys may hold slashes (some stores allow it): the scope is the last four parts.
  const parts = (text ?? '').split('/');
  const [date, region, service, terminator] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join('/');
  if (
    accessKeyId === '' ||
    date === undefined ||
    region === undefined ||
    service === undefined ||
    terminator !== 'aws4_request'
  ) {
    throw new SigV4Error(
      'ERR_SIGV4_MALFORMED',
      'The credential is malformed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      presigned,
    );
  }
  return { accessKeyId, scope: { date, region, service } };
}

function parseSignedHeaders(text: string | undefined, presigned: boolean): readonly string[] {
  const names = (text ?? '').toLowerCase().split(';');
  if (names.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/u.test(name)) || new Set(names).size !== names.length) {
    throw new SigV4Error('ERR_SIGV4_MALFORMED', 'The list of signed headers is malformed.', presigned);
  }
  return names;
}

export function parseSignature(text: string | undefined, presigned: boolean): string {
  if (text === undefined || !/^[0-9a-f]{64}$/iu.test(text)) {
    throw new SigV4Error('ERR_SIGV4_MALFORMED', 'The signature is malformed.', presigned);
  }
  return text.toLowerCase();
}

/** `x-amz-date` before `Date`; the latter in RFC 1123 form is signed as its own text but dated in basic form. */
function parseHeaderTime(headers: Source['headers']): { timestamp: string; time: number } {
  const amzDate = headers['x-amz-date'];
  if (amzDate !== undefined) return parseBasicTime(amzDate, false);
  const time = Date.parse(headers['date'] ?? '');
  if (Number.isNaN(time)) {
    throw new SigV4Error('ERR_SIGV4_MALFORMED', 'AWS authentication requires a valid Date or x-amz-date header');
  }
  return { timestamp: formatTimestamp(time), time };
}

export function parseBasicTime(text: string | undefined, presigned: boolean): { timestamp: string; time: number } {
  const time = text === undefined ? undefined : parseTimestamp(text);
  if (text === undefined || time === undefined) {
    throw new SigV4Error(
      'ERR_SIGV4_MALFORMED',
      "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
      presigned,
    );
  }
  return { timestamp: text, time };
}

/** The `X-Amz-` parameters of a presigned URL; undefined where there are none. */
function presignedParameters(query: string): ReadonlyMap<string, string> | undefined {
  if (/(?:^|&)AWSAccessKeyId=/u.test(query)) throw new SigV4Error('ERR_SIGV4_UNSUPPORTED', undefined, true);
  if (!/(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/u.test(query)) return undefined;
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (!pair.startsWith('X-Amz-')) continue;
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = decodeQueryPart(equals < 0 ? '' : pair.slice(equals + 1));
    if (value === undefined || parameters.has(name))
      throw new SigV4Error('ERR_SIGV4_MALFORMED', `Invalid ${name}`, true);
    parameters.set(name, value);
  }
  return parameters;
}

function parsePresignedClaim(parameters: ReadonlyMap<string, string>): SignatureClaim {
  if (parameters.get('X-Amz-Algorithm') !== ALGORITHM) throw new SigV4Error('ERR_SIGV4_UNSUPPORTED', undefined, true);
  return {
    type: 'presigned',
    ...parseCredential(parameters.get('X-Amz-Credential'), true),
    signedHeaders: parseSignedHeaders(parameters.get('X-Amz-SignedHeaders'), true),
    signature: parseSignature(parameters.get('X-Amz-Signature'), true),
    ...parseBasicTime(parameters.get('X-Amz-Date'), true),
    expiresSeconds: parseExpires(parameters.get('X-Amz-Expires')),
    sessionToken: parameters.get('X-Amz-Security-Token'),
    contentSha256: parameters.get('X-Amz-Content-Sha256'),
  };
}

function parseExpires(text: string | undefined): number {
  if (text === undefined || !/^\d{1,10}$/u.test(text)) {
    throw new SigV4Error('ERR_SIGV4_MALFORMED', 'X-Amz-Expires should be a number', true);
  }
  const seconds = Number(text);
  if (seconds > MAX_PRESIGNED_SECONDS) {
    throw new SigV4Error(
      'ERR_SIGV4_MALFORMED',
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
      true,
    );
  }
  if (seconds === 0) throw new SigV4Error('ERR_SIGV4_MALFORMED', 'X-Amz-Expires must be positive', true);
  return seconds;
}
