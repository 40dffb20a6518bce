/** What one caller may do in one request, asked of the policies (`keys/access/s3-authorizer.ts`). */
import type { AuthorizationDecision } from '../../keys/options.ts';
import type { RequestFacts } from '../../keys/access/request.ts';
import { S3Error } from '../errors.ts';
import type { Permission } from './permissions.ts';

/** The policies of all callers, as the gateway asks them. */
export interface S3Access {
  /** The principal of requests without a signature. */
  readonly anonymous: string;
  /** False where no policy speaks of what the caller does here: then nothing need be asked. */
  isLimited(principal: string): boolean;
  decide(question: {
    readonly principal: string;
    readonly action: string;
    readonly resource: string;
    readonly facts: RequestFacts;
  }): AuthorizationDecision;
}

/** Hears of what was refused, and why; the caller is not told which policy it was. */
export type RefusalListener = (refusal: Permission & { readonly principal: string; readonly why: string }) => void;

export class CallerRights {
  readonly #access: S3Access;
  readonly #principal: string;
  readonly #facts: RequestFacts;
  readonly #refused: RefusalListener;

  constructor(access: S3Access, principal: string, facts: RequestFacts, refused: RefusalListener) {
    this.#access = access;
    this.#principal = principal;
    this.#facts = facts;
    this.#refused = refused;
  }

  may(permission: Permission): boolean {
    return this.#decide(permission, {}).allow;
  }

  /** Why not, if any of them is refused. `values`: condition keys of S3 that this question has besides the request's. */
  refusal(permissions: readonly Permission[], values: Readonly<Record<string, string>> = {}): S3Error | undefined {
    for (const permission of permissions) {
      const { allow, why, message } = this.#decide(permission, values);
      if (allow) continue;
      this.#refused({ ...permission, principal: this.#principal, why });
      return new S3Error('ERR_S3_ACCESS_DENIED', message);
    }
    return undefined;
  }

  /** Throws ERR_S3_ACCESS_DENIED. */
  demand(permissions: readonly Permission[]): void {
    const refusal = this.refusal(permissions);
    if (refusal !== undefined) throw refusal;
  }

  #decide({ action, resource }: Permission, values: Readonly<Record<string, string>>): AuthorizationDecision {
    const facts = { ...this.#facts, s3: { ...this.#facts.s3, ...values } };
    return this.#access.decide({ principal: this.#principal, action, resource, facts });
  }
}
