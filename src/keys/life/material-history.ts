/**
 * What became of a material: each transition of its state with time, reason and actor (SP 800-57 part 1 rev. 5, section 7). The
 * history lies in the material's own row, under its MAC; docs/KEYSTORE.md, "States of materials".
 */
import { KeysError } from '../errors.ts';
import { isMaterialState, mayBecome, type MaterialState } from './key-states.ts';

export type MaterialTransition = {
  readonly to: MaterialState;
  readonly at: string;
  /** A principal's ARN; undefined: not known. */
  readonly by: string | undefined;
  readonly reason: string;
  /** From then on a compromised material opened what it had protected. */
  readonly stillOpens: boolean;
};

/** When, by whom and why. */
export type TransitionFacts = Pick<MaterialTransition, 'at' | 'by' | 'reason'>;

/** What a transition changes of a material, and what names it. */
type Moving = {
  readonly materialId: Uint8Array;
  readonly state: MaterialState;
  readonly stateSince: string;
  readonly stateReason: string;
  readonly stillOpens: boolean;
  readonly history: readonly MaterialTransition[];
};

/** The material after the transition; ERR_KEYS_INVALID_STATE where the standard has none. */
export function moveMaterial<Material extends Moving>(
  record: Material,
  to: MaterialState,
  facts: TransitionFacts,
  stillOpens = false,
): Material {
  // A compromised material stays what it is; only whether it opens is changed.
  const isSame = record.state === 'compromised' && to === 'compromised' && record.stillOpens !== stillOpens;
  if (!isSame && !mayBecome(record.state, to)) {
    const id = Buffer.from(record.materialId).toString('hex');
    throw new KeysError('ERR_KEYS_INVALID_STATE', `material ${id} is ${record.state}: it cannot become ${to}`);
  }
  const step: MaterialTransition = { to, ...facts, stillOpens };
  const { at: stateSince, reason: stateReason } = facts;
  return { ...record, state: to, stateSince, stateReason, stillOpens, history: [...record.history, step] };
}

/**
 * Its bytes have come again, in a way that has to be remembered: a step that changes no state, and says so once. The reasons there are bound
 * how many it can be.
 */
export function noteInHistory<Material extends Moving>(record: Material, facts: TransitionFacts): Material {
  if (record.history.some(({ reason }) => reason === facts.reason)) return record;
  const { state: to, stillOpens } = record;
  return { ...record, history: [...record.history, { to, ...facts, stillOpens }] };
}

/** The steps that made a material what the next is not: without those that noted something in its history. */
export function changesIn(history: readonly MaterialTransition[]): readonly MaterialTransition[] {
  return history.filter(({ to, stillOpens }, at) => {
    const before = history[at - 1];
    return before?.to !== to || before.stillOpens !== stillOpens;
  });
}

/** `[[state, time, by, reason], …]`, and a fifth element where it still opens. */
export function encodeHistory(history: readonly MaterialTransition[]): string {
  return JSON.stringify(
    history.map(({ to, at, by, reason, stillOpens }) => [to, at, by ?? null, reason, ...(stillOpens ? ['opens'] : [])]),
  );
}

export function parseHistory(stored: string): readonly MaterialTransition[] {
  // The row is authenticated: it is what `encodeHistory` wrote, here or in a later release.
  const steps = JSON.parse(stored) as readonly (readonly [string, string, string | null, string, string?])[];
  return steps.map(([to, at, by, reason, opens]) => {
    if (!isMaterialState(to))
      throw new KeysError('ERR_KEYS_STORE_VERSION', 'materials.history holds a value this release does not know');
    return { to, at, by: by ?? undefined, reason, stillOpens: opens === 'opens' };
  });
}

/** Of a material that has none on record yet, as it was before schema version 5: as far as its other columns tell. */
export function impliedHistory(
  record: Pick<Moving, 'state' | 'stateSince' | 'stateReason'> & {
    readonly createdAt: string;
    readonly rotatedAt: string | undefined;
  },
): readonly MaterialTransition[] {
  const { state, stateSince, stateReason, createdAt, rotatedAt } = record;
  const step = (to: MaterialState, at: string, reason: string): MaterialTransition => ({
    ...{ to, at, reason },
    by: undefined,
    stillOpens: false,
  });
  const now = step(state, stateSince, stateReason);
  const began =
    rotatedAt === undefined
      ? [step('active', createdAt, 'created')]
      : [step('pre-activation', createdAt, 'imported'), step('active', rotatedAt, 'rotated')];
  if (state === 'pre-activation') return [now];
  return state === 'active' ? [...began.slice(0, -1), now] : [...began, now];
}
