/**
 * States of KMS keys and of their materials. Materials follow NIST SP 800-57 part 1 rev. 5, section 7; a KMS key's state is
 * what AWS KMS calls KeyState. All states are in the stored vocabulary from the first version; those that no operation
 * produces yet are refused for use all the same.
 */
import { unreachable } from '../../errors.ts';

export const KEY_STATES = [
  'enabled',
  'disabled',
  'pending-deletion',
  /** A primary key that waits for its replicas to be deleted before its own waiting period begins. */
  'pending-replica-deletion',
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

/** `stillOpens`: an operator has taken the risk of opening what a compromised material protected. */
export type MaterialStanding = { readonly state: MaterialState; readonly stillOpens: boolean };

/** Wrap new data (protect) and open old data (process), as the table of section 7 allows. */
export function materialAllows({ state, stillOpens }: MaterialStanding): {
  readonly protect: boolean;
  readonly process: boolean;
} {
  switch (state) {
    case 'active':
      return { protect: true, process: true };
    case 'deactivated':
      return { protect: false, process: true };
    case 'compromised':
      return { protect: false, process: stillOpens };
    case 'pre-activation':
    case 'suspended':
    case 'destroyed':
      return { protect: false, process: false };
    default:
      return unreachable(state);
  }
}

/** The transitions of section 7, by what a material is. What is destroyed, or was compromised, never comes back. */
export const MATERIAL_TRANSITIONS = {
  'pre-activation': ['active', 'compromised', 'destroyed'],
  active: ['suspended', 'deactivated', 'compromised', 'destroyed'],
  suspended: ['active', 'deactivated', 'compromised', 'destroyed'],
  deactivated: ['compromised', 'destroyed'],
  compromised: ['destroyed'],
  destroyed: [],
} as const satisfies Readonly<Record<MaterialState, readonly MaterialState[]>>;

export function mayBecome(from: MaterialState, to: MaterialState): boolean {
  return (MATERIAL_TRANSITIONS[from] as readonly MaterialState[]).includes(to); // widened to ask, nothing is assumed
}

/**
 * A key's state as callers see it. AWS knows no states of materials: a key whose current material must not be used for now
 * (suspended), or never again (compromised), is shown and refused as a disabled one.
 */
export function shownState(state: KeyState, current: MaterialStanding): KeyState {
  if (state !== 'enabled') return state;
  const isHeldBack = current.state === 'suspended' || (current.state === 'compromised' && !current.stillOpens);
  return isHeldBack ? 'disabled' : 'enabled';
}

export function isKeyState(text: string): text is KeyState {
  return (KEY_STATES as readonly string[]).includes(text); // widened to ask, nothing is assumed
}

export function isMaterialState(text: string): text is MaterialState {
  return (MATERIAL_STATES as readonly string[]).includes(text); // widened to ask, nothing is assumed
}
