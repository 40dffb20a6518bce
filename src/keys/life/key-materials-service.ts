/** Changes the states of materials, one at a time, each with its reason in the material's history and in the audit log. */
import type { KeyUse } from '../uses/data-keys.ts';
import { describeKey } from '../admin/describe.ts';
import { KeysError } from '../errors.ts';
import type { KeyDescription } from '../admin/key-admin.ts';
import { put, type KeyChanges } from '../admin/key-changes.ts';
import type { KeyMaterials, MaterialChange } from './key-materials.ts';
import { assertKeySwitchable, stateRefuses, type HeldKey, type HeldMaterial } from '../key-ring.ts';
import type { MaterialState } from './key-states.ts';
import { MAX_REACTIVATIONS } from '../limits.ts';
import { changesIn, moveMaterial } from './material-history.ts';
import { checkReason } from './reason.ts';
import { materialRow, type MaterialRecord } from '../records.ts';
import type { UseTrace } from '../uses/use-recorder.ts';

type Move = MaterialChange & { readonly to: MaterialState; readonly stillOpens?: boolean };

export class KeyMaterialsService implements KeyMaterials {
  readonly #changes: KeyChanges;

  constructor(changes: KeyChanges) {
    this.#changes = changes;
  }

  suspend(change: MaterialChange, use: KeyUse): Promise<KeyDescription> {
    return this.#move('SuspendKeyMaterial', { ...change, to: 'suspended' }, use);
  }

  reactivate(change: MaterialChange, use: KeyUse): Promise<KeyDescription> {
    return this.#move('ReactivateKeyMaterial', { ...change, to: 'active' }, use);
  }

  deactivate(change: MaterialChange, use: KeyUse): Promise<KeyDescription> {
    return this.#move('DeactivateKeyMaterial', { ...change, to: 'deactivated' }, use);
  }

  markCompromised(change: MaterialChange & { stillOpens: boolean }, use: KeyUse): Promise<KeyDescription> {
    return this.#move('MarkKeyMaterialCompromised', { ...change, to: 'compromised' }, use);
  }

  #move(action: string, move: Move, use: KeyUse): Promise<KeyDescription> {
    return this.#changes.make(action, use, (trace) => {
      checkReason(move.reason);
      const key = this.#changes.find(move.keyId, action, use, trace);
      // That it is compromised is worth knowing whatever becomes of the key.
      if (move.to !== 'compromised') assertKeySwitchable(key);
      const material = materialNamed(key, move.material);
      trace.material = material;
      const moved = this.#moved(material, move, use);
      trace.detail = detailOf(material.record, moved);
      return () => this.#apply(key, material, moved, trace);
    });
  }

  #moved({ record }: HeldMaterial, { to, reason, stillOpens }: Move, use: KeyUse): MaterialRecord {
    if (to === 'active') assertReactivates(record);
    return moveMaterial(record, to, { at: this.#changes.now(), by: use.principal, reason }, stillOpens);
  }

  #apply(key: HeldKey, old: HeldMaterial, moved: MaterialRecord, trace: UseTrace): KeyDescription {
    const related = this.#changes.related(key).map((each) => ({ ...each, moved: movedWith(each.key, old, moved) }));
    this.#changes.commit(related.map((each) => put('materials', materialRow(each.moved))));
    const renewed = related.map(({ ring, key: own, moved: record }) => {
      const material = this.#changes.reread(record, own.record);
      return {
        ring,
        own,
        materials: [...own.materials.values()].map((each) => (each.name === old.name ? material : each)),
      };
    });
    for (const { ring, own, materials } of renewed) ring.putKey(own.record, materials);
    const changed = this.#changes.published(key.record.keyId, trace);
    trace.material = materialNamed(changed, old.name);
    this.#changes.parts.cache.dropKey(key.record.keyId);
    return describeKey(this.#changes.parts.ring, changed);
  }
}

/** The same bytes in another region are in the same state: what has leaked there has leaked everywhere. */
function movedWith(key: HeldKey, { name }: HeldMaterial, moved: MaterialRecord): MaterialRecord {
  const { record } = materialNamed(key, name);
  const { state, stateSince, stateReason, stillOpens, history } = moved;
  return { ...record, state, stateSince, stateReason, stillOpens, history };
}

/** ERR_KEYS_NOT_FOUND. */
function materialNamed(key: HeldKey, named: string | undefined): HeldMaterial {
  if (named === undefined) {
    if (key.current === undefined) throw stateRefuses(key);
    return key.current;
  }
  const found = [...key.materials.values()].find(({ name, record }) =>
    named.length < 64 ? String(record.version) === named : name === named.toLowerCase(),
  );
  if (found === undefined)
    throw new KeysError('ERR_KEYS_NOT_FOUND', `${key.arn} has no material ${named.slice(0, 64)}`);
  return found;
}

/** From pre-activation a material is activated by what made it, not by an operator; ERR_KEYS_INVALID_STATE, ERR_KEYS_LIMIT. */
function assertReactivates({ state, history }: MaterialRecord): void {
  if (state !== 'suspended')
    throw new KeysError('ERR_KEYS_INVALID_STATE', `only a suspended material is reactivated; this one is ${state}`);
  if (changesIn(history).filter(({ to }) => to === 'suspended').length > MAX_REACTIVATIONS)
    throw new KeysError('ERR_KEYS_LIMIT', `a material is reactivated at most ${MAX_REACTIVATIONS} times`);
}

function detailOf(before: MaterialRecord, { state, stateReason, stillOpens }: MaterialRecord): Record<string, string> {
  return { from: before.state, to: state, reason: stateReason, ...(stillOpens ? { stillOpens: 'yes' } : {}) };
}
