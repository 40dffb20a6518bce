/**
 * States of KMS keys and of their materials. Materials follow NIST SP 800-57 part 1 rev. 5, section 7; a KMS key's state is
 * what AWS KMS calls KeyState. All states are in the stored vocabulary from the first version; those that no operation
 * produces yet are refused for use all the same.
 */
import { unreachable } from '../errors.ts';

export const KEY_STATES = [
  'enabled',
  'disabled',
  'pending-deletion',
  'pending-import',
  'unavailable',
  /** Its materials are destroyed and nothing finds it any more; that it was stays on record. */
  'deleted',
] as const;
export type KeyState = (typeof KEY_STATES)[number];

export const MATERIAL_STATES = [
  'pre-activation',
  'active',
  'suspended',
  'deactivated',
  'compromised',
  'destroyed',
] as const;
export type MaterialState = (typeof MATERIAL_STATES)[number];

/** Wrap new data (protect) and open old data (process), as the table of section 7 allows. */
export function materialAllows(state: MaterialState): { readonly protect: boolean; readonly process: boolean } {
  switch (state) {
    case 'active':
      return { protect: true, process: true };
    case 'deactivated':
      return { protect: false, process: true };
    case 'pre-activation':
    case 'suspended':
    case 'compromised':
    case 'destroyed':
      return { protect: false, process: false };
    default:
      return unreachable(state);
  }
}

export function isKeyState(text: string): text is KeyState {
  return (KEY_STATES as readonly string[]).includes(text); // widened to ask, nothing is assumed
}

export function isMaterialState(text: string): text is MaterialState {
  return (MATERIAL_STATES as readonly string[]).includes(text); // widened to ask, nothing is assumed
}
