/**
 * Answers of the upstream that speak to the gateway, not to its client: refusals of our own identity (with access key id and string to
 * sign in them) and redirects (which would lead around the configuration, or the client around the gateway). They end here.
 */
import { S3Error } from '../errors.ts';
import { MAX_ERROR_DOCUMENT_BYTES } from '../limits.ts';
import { childText, parseXml } from '../listing/xml-tree.ts';
import type { UpstreamResponse } from './client.ts';
import { WholeBody } from './upstream-body.ts';

/** Codes that speak of the gateway's own signature: our trouble, not the client's. */
const ABOUT_OUR_IDENTITY: ReadonlySet<string> = new Set([
  'AuthorizationHeaderMalformed',
  'CredentialsNotSupported',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'MissingSecurityHeader',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'XAmzContentSHA256Mismatch',
]);

/** The answer, as it came, if it is one for the client; else throws ERR_S3_UPSTREAM_CREDENTIALS or ERR_S3_UPSTREAM_PROTOCOL. */
export async function screenAnswer(response: UpstreamResponse): Promise<UpstreamResponse> {
  const { status } = response;
  if (status >= 300 && status < 400 && status !== 304) {
    await response.body.release();
    throw new S3Error(
      'ERR_S3_UPSTREAM_PROTOCOL',
      'The storage answered with a redirect: its endpoint or region is configured wrongly.',
    );
  }
  if (status !== 400 && status !== 403) return response;
  const bytes = await response.body.bytes(MAX_ERROR_DOCUMENT_BYTES);
  const code = childText(parseXml(Buffer.from(bytes).toString('utf8'), 'Error'), 'Code') ?? '';
  if (ABOUT_OUR_IDENTITY.has(code))
    throw new S3Error('ERR_S3_UPSTREAM_CREDENTIALS', undefined, { cause: new Error(code) });
  return { ...response, body: new WholeBody(bytes) };
}
