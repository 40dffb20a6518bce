/** Request headers as signatures see them: lower-case names, repeated ones joined by `,`, values as bytes in latin1. */

export function collectHeaders(rawHeaders: readonly string[]): Readonly<Record<string, string>> {
  // A null-prototype object is a Record; Object.create is typed any.
  const headers = Object.create(null) as Record<string, string>;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  return headers;
}
