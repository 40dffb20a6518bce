/**
 * Connection strings as libpq takes them: `postgresql://user:password@host1:5432,host2/database?sslmode=require`, or
 * `host=a,b port=5432 dbname=app sslmode=require`. Here they become keywords and values; what they mean is read elsewhere.
 *
 * Source: manual, "Connection Strings" (libpq-connect.html).
 */

/** Keyword to value; of a keyword that stands twice the last one counts, as with libpq. */
export type Conninfo = ReadonlyMap<string, string>;

/** What is wrong; the text itself is never repeated, it may hold a password. */
export type ConninfoProblem = { readonly problem: string };

const PREFIX = /^postgres(?:ql)?:\/\//u;

export function parseConninfo(text: string): Conninfo | ConninfoProblem {
  try {
    return PREFIX.test(text) ? readUrl(text.replace(PREFIX, '')) : readPairs(text);
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}

class Malformed extends Error {}

/** `[user[:password]@][host[:port][,…]][/database][?name=value[&…]]`; every part percent-encoded. */
function readUrl(text: string): Conninfo {
  const found = new Map<string, string>();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') found.set(name, decoded(value));
  };
  const [authority = '', database, query] = partsOf(text);
  const at = authority.lastIndexOf('@');
  if (at >= 0) {
    const [user, ...password] = authority.slice(0, at).split(':');
    set('user', user);
    set('password', password.join(':'));
  }
  const places = placesOf(authority.slice(at + 1));
  if (places.some(({ host }) => host !== '')) found.set('host', places.map(({ host }) => host).join(','));
  if (places.some(({ port }) => port !== '')) found.set('port', places.map(({ port }) => port).join(','));
  set('dbname', database);
  for (const [name, value] of queryOf(query)) found.set(name, value);
  return found;
}

/** What is before the first `/` or `?`, the path, and what is after `?`. */
function partsOf(text: string): readonly [string, string | undefined, string | undefined] {
  const [, authority = '', path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/su.exec(text) ?? [];
  return [authority, path, query];
}

function placesOf(text: string): readonly { readonly host: string; readonly port: string }[] {
  return text.split(',').map((place) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]*))(?::(\d*))?$/u.exec(place) ?? [];
    if (bracketed === undefined && plain === undefined)
      throw new Malformed('a host that is none: expected name, name:port or [IPv6 address]:port');
    const host = decoded(bracketed ?? plain ?? '');
    if (host.includes(',')) throw new Malformed('a host with a comma in its name');
    return { host, port: port ?? '' };
  });
}

function queryOf(query: string | undefined): readonly (readonly [string, string])[] {
  if (query === undefined || query === '') return [];
  return query.split('&').map((pair) => {
    const at = pair.indexOf('=');
    if (at < 0 || pair.includes('=', at + 1)) throw new Malformed('an option that is not name=value');
    const [name, value] = [decoded(pair.slice(0, at)), decoded(pair.slice(at + 1))];
    // What JDBC calls it, and libpq takes too.
    return name === 'ssl' && value === 'true' ? ['sslmode', 'require'] : [name, value];
  });
}

function decoded(text: string): string {
  let value: string;
  try {
    value = decodeURIComponent(text);
  } catch {
    throw new Malformed('a `%` that begins no percent-encoding');
  }
  if (value.includes('\0')) throw new Malformed('a NUL (%00)');
  return value;
}

/** `name = value`, or `name = 'value with spaces'`; a backslash takes the next sign as it is. */
const PAIR = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/suy;

function readPairs(text: string): Conninfo {
  const found = new Map<string, string>();
  const pair = new RegExp(PAIR);
  const end = text.trimEnd().length;
  while (pair.lastIndex < end) {
    const [, name, quoted, plain] = pair.exec(text) ?? [];
    if (name === undefined)
      throw new Malformed('expected name=value pairs, or a URL: postgresql://user@host:5432/database');
    found.set(name, (quoted ?? plain ?? '').replaceAll(/\\(.)/gsu, '$1'));
  }
  return found;
}
