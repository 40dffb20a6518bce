/** The keys that rules name have to be there when a process begins: a typing error is told with the rule that has it. */
import { SealgateError } from '../errors.ts';
import type { DataKeys } from '../keys/uses/data-keys.ts';

/** `rule` as an operator calls it: `bucket documents, prefix in/`, `column shop.public.orders.card`. */
export type RuleKey = { readonly keyId: string; readonly rule: string };

/** Errors: those of `resolveKey`, naming the rule. */
export async function requireRuleKeys(
  dataKeys: Pick<DataKeys, 'resolveKey'>,
  ruleKeys: readonly RuleKey[],
): Promise<void> {
  for (const { keyId, rule } of ruleKeys)
    try {
      await dataKeys.resolveKey(keyId);
    } catch (error) {
      if (!(error instanceof SealgateError)) throw error;
      throw new SealgateError(error.code, `${error.message} (${keyId}, named by ${rule})`, { cause: error });
    }
}
