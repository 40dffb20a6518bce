/** Grants, as the KMS edge and the console ask for them. */
import type { Grant } from '../access/grants/grant.ts';
import type { GrantPrincipal, GrantRequest } from '../access/grants/new-grant.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import type { DryRun } from '../uses/key-operations.ts';
import type { Page, PageRequest } from './key-settings.ts';

export type GrantReference =
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'id'; readonly keyId: string; readonly grantId: string };

/**
 * Every method rejects with a KeysError and resolves only after the change is durable and in effect, and its audit record is
 * written. `keyId` is a key id or key ARN: here an alias names nothing (ERR_KEYS_INVALID_ID). Pages go by grant id.
 */
export interface KeyGrants {
  /**
   * A request that names a grant and asks for just what a grant of that name gives already gets that grant again, and another
   * token of it. ERR_KEYS_INVALID_REQUEST, ERR_KEYS_INVALID_ARN, ERR_KEYS_LIMIT.
   */
  create(request: { keyId: string } & GrantRequest & DryRun, use: KeyUse): Promise<{ grantId: string; token: string }>;
  /** ERR_KEYS_GRANT_ID for an id that is none. */
  list(
    request: { keyId: string; grantId?: string | undefined; grantee?: GrantPrincipal | undefined } & PageRequest,
    use: KeyUse,
  ): Promise<Page<Grant>>;
  /** Grants on any key that this principal may retire as their retiring principal. */
  listRetirable(request: { retiring: GrantPrincipal } & PageRequest, use: KeyUse): Promise<Page<Grant>>;
  /** By whom the grant says. ERR_KEYS_GRANT_TOKEN, ERR_KEYS_GRANT_ID, ERR_KEYS_NOT_FOUND. */
  retire(request: { grant: GrantReference } & DryRun, use: KeyUse): Promise<void>;
  /** By whom policies say. ERR_KEYS_GRANT_ID, ERR_KEYS_NOT_FOUND. */
  revoke(request: { keyId: string; grantId: string } & DryRun, use: KeyUse): Promise<void>;
}
