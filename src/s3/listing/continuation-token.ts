/**
 * Continuation tokens as clients see them: opaque, of letters that survive XML and URLs. Stores give tokens of their own, and some (Ceph RGW 16) just
 * the last key: with a control character in it no client's XML parser reads the page, however names are encoded.
 */
import { S3Error } from '../errors.ts';

/** Of tokens to come there may be other forms. */
const FORM = '1';

export const tokenFor = (text: string): string => Buffer.from(`${FORM}${text}`).toString('base64url');

/** What the token was made for. Throws ERR_S3_INVALID_ARGUMENT for what was not made here. */
export function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString().slice(FORM.length);
  if (tokenFor(text) === token) return text;
  throw new S3Error('ERR_S3_INVALID_ARGUMENT', 'The continuation token provided is incorrect', {
    details: { ArgumentName: 'continuation-token', ArgumentValue: token },
  });
}
