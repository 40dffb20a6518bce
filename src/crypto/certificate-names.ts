/** What a certificate calls its holder: the subject and the alternative names, in a form in which no value can look like two. */
import type { X509Certificate } from 'node:crypto';

/** One line; OpenSSL escapes commas and line ends within a value (RFC 2253), so no value can look like two. */
export function subjectOf(certificate: Pick<X509Certificate, 'subject'>): string {
  return certificate.subject.split('\n').join(', ');
}

/** `DNS:a.test`, `URI:spiffe://x/y`, … Values that could be mistaken come quoted as JSON; what is not of this form names nobody. */
export function namesOf({ subjectAltName }: Pick<X509Certificate, 'subjectAltName'>): readonly string[] {
  const names: string[] = [];
  let rest = subjectAltName ?? '';
  while (rest !== '') {
    const match = /^([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/u.exec(rest);
    if (match === null) return [];
    const [whole, kind = '', value = ''] = match;
    const name = value.startsWith('"') ? unquoted(value) : value;
    if (name === undefined) return [];
    names.push(`${kind}:${name}`);
    rest = rest.slice(whole.length);
  }
  return names;
}

function unquoted(text: string): string | undefined {
  try {
    return String(JSON.parse(text));
  } catch {
    return undefined;
  }
}
