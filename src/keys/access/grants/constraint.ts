/** Grant constraints: which encryption contexts a grant covers, and which constraint is at least as strict as another. */
import type { EncryptionContext } from '../../../envelope/encryption-context.ts';
import type { GrantConstraint, GrantOperation } from './grant.ts';

/** Operations that carry an encryption context (of a symmetric key); constraints bind these and no others. */
export const CONTEXT_OPERATIONS: ReadonlySet<GrantOperation> = new Set([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
]);

export function coversContext(constraint: GrantConstraint | undefined, context: EncryptionContext): boolean {
  if (constraint === undefined) return true;
  return (
    holdsPairs(context, constraint.context) && (constraint.type === 'subset' || sameSize(context, constraint.context))
  );
}

/** Whether every context that `child` covers is one that `parent` covers. */
export function isAsStrict(child: GrantConstraint | undefined, parent: GrantConstraint | undefined): boolean {
  if (parent === undefined) return true;
  if (child === undefined) return false;
  if (parent.type === 'subset') return holdsPairs(child.context, parent.context);
  return child.type === 'equals' && coversContext(parent, child.context);
}

/** Whether every request that the source `child` names covers is one that the source `parent` names covers. */
export function isAsNarrow(child: string | undefined, parent: string | undefined): boolean {
  return parent === undefined || child === parent;
}

function holdsPairs(context: EncryptionContext, pairs: EncryptionContext): boolean {
  for (const name of Object.keys(pairs)) {
    if (!Object.hasOwn(context, name) || context[name] !== pairs[name]) return false;
  }
  return true;
}

function sameSize(a: EncryptionContext, b: EncryptionContext): boolean {
  return Object.keys(a).length === Object.keys(b).length;
}
