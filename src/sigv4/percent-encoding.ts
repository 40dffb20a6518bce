/**
 * Percent-encoding as Signature Version 4 wants it: every byte but `A-Z a-z 0-9 - . _ ~` becomes `%XX` in upper case.
 * Source: AWS, "Create a signed AWS API request", UriEncode.
 */

const LEFT_ALONE = /[!'()*]/u;

/** encodeURIComponent leaves `!'()*` alone; UriEncode does not. */
export function encodeUri(text: string): string {
  const encoded = encodeURIComponent(text);
  if (!LEFT_ALONE.test(encoded)) return encoded;
  return encoded.replace(/[!'()*]/gu, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A key as a path: its slashes stay. */
export function encodePath(key: string): string {
  return key.split('/').map(encodeUri).join('/');
}

/** Decoded text, or undefined where the escapes are malformed or not UTF-8. */
export function decodeUri(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A query's name or value: `+` is a space, as S3 reads it. */
export function decodeQueryPart(text: string): string | undefined {
  return decodeUri(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
