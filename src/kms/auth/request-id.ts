/**
 * The id of a signed request: random but for the first 52 bits, which are its signature's. The audit log has the ids of what was answered, so
 * that a process that starts knows the signatures that the one before it has seen, and nothing is written for that.
 *
 * A UUID of version 8 (RFC 9562, 5.8: whoever makes it says what the bits are). A part of a signature is no secret, and signs nothing.
 */
const OF_SIGNATURE = /^([0-9a-f]{8})-([0-9a-f]{4})-8([0-9a-f])/u;
/** Of a signature in hex: 52 bits, which a number holds exactly. */
const DIGITS = 13;

/** `uuid`: a random one, of version 4. */
export function requestIdOf(signature: string, uuid: string): string {
  return `${signature.slice(0, 8)}-${signature.slice(8, 12)}-8${signature.slice(12, DIGITS)}${uuid.slice(16)}`;
}

/** What is remembered of a signature: a number above zero. */
export const signatureNumber = (signature: string): number => Number.parseInt(signature.slice(0, DIGITS), 16) + 1;

/** Of the signature of the request with this id; undefined: it was not signed, or is of an earlier release. */
export function signatureOfRequest(requestId: string): number | undefined {
  const [, first, second, third] = OF_SIGNATURE.exec(requestId) ?? [];
  return first === undefined ? undefined : signatureNumber(`${first}${second ?? ''}${third ?? ''}`);
}
