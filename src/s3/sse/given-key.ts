/** Whether a customer's key may be used as it came: over TLS, and where the rule lets it. */
import { S3Error } from '../errors.ts';
import type { GatewayContext, S3Request } from '../operation.ts';
import type { S3Rule } from '../rules.ts';
import { customerKeyOf, givesCustomerKey, type GivenKey } from './customer-key.ts';
import { refuseRequestedEncryption } from './requested-encryption.ts';

/**
 * The key to read an object with: the request's own, or that of a copy's source. Undefined: none is given.
 * Throws ERR_S3_CUSTOMER_KEY_INSECURE and those of `customerKeyOf`.
 */
export function keyToReadWith(
  request: Pick<S3Request, 'headers' | 'secure'>,
  gateway: Pick<GatewayContext, 'options'>,
  whose: 'object' | 'copySource' = 'object',
): GivenKey | undefined {
  if (!givesCustomerKey(request.headers, whose)) return undefined;
  refuseInsecure(request, gateway);
  return customerKeyOf(request.headers, { whose, reads: true });
}

/**
 * A read says nothing of encryption but a customer's key, and that as it should be: told before the store is asked. Throws
 * ERR_S3_ENCRYPTION_NOT_HERE, ERR_S3_CUSTOMER_KEY_*.
 */
export function checkReadEncryption(
  request: Pick<S3Request, 'headers' | 'secure'>,
  gateway: Pick<GatewayContext, 'options'>,
): void {
  refuseRequestedEncryption(request.headers);
  keyToReadWith(request, gateway);
}

/** Throws ERR_S3_CUSTOMER_KEY_INSECURE. */
export function refuseInsecure(
  { headers, secure }: Pick<S3Request, 'headers' | 'secure'>,
  { options }: Pick<GatewayContext, 'options'>,
): void {
  if (secure || options.customerKeysWithoutTls === true) return;
  if (givesCustomerKey(headers) || givesCustomerKey(headers, 'copySource'))
    throw new S3Error('ERR_S3_CUSTOMER_KEY_INSECURE');
}

/** Throws ERR_S3_CUSTOMER_KEYS_BLOCKED. Objects that were stored with such a key before are still read. */
export function refuseBlocked(rule: Extract<S3Rule, { type: 'seal' }>): void {
  if (rule.customerKeys === 'block') throw new S3Error('ERR_S3_CUSTOMER_KEYS_BLOCKED');
}
