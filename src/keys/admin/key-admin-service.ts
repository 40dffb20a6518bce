/** Keys, their states and their aliases. */
import type { KeyUse } from '../uses/data-keys.ts';
import { describeAlias, describeKey } from './describe.ts';
import { KeysError } from '../errors.ts';
import { assertAliasFits } from './alias-fit.ts';
import { assertFreeAlias } from './free-alias.ts';
import type { AliasDescription, CreateKeyRequest, KeyDescription } from './key-admin.ts';
import { KeyCreation } from './key-creation.ts';
import { deleteAlias, put, type KeyChanges } from './key-changes.ts';
import { assertKeyChangeable, assertKeySwitchable, type HeldKey, type KeyRing } from '../key-ring.ts';
import type { KeyState } from '../life/key-states.ts';
import type { FirstUses } from '../managed/first-use.ts';
import { withUnmadeAliases } from '../managed/predefined-aliases.ts';
import { MAX_ALIASES_PER_KEY } from '../limits.ts';
import { aliasRow, type AliasRecord } from '../records.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

export class KeyAdminService {
  readonly #changes: KeyChanges;
  readonly #firstUses: FirstUses;
  readonly #creation: KeyCreation;
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;

  constructor(changes: KeyChanges, firstUses: FirstUses) {
    this.#changes = changes;
    this.#firstUses = firstUses;
    this.#creation = new KeyCreation(changes);
    this.#ring = changes.parts.ring;
    this.#recorder = changes.parts.recorder;
  }

  createKey(request: CreateKeyRequest, use: KeyUse): Promise<KeyDescription> {
    return this.#creation.createKey(request, use);
  }

  enableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'EnableKey', 'enabled', use);
  }

  disableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'DisableKey', 'disabled', use);
  }

  createAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    const { aliasName, keyId } = request;
    return this.#changes.make('CreateAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      this.#authorizeAlias('CreateAlias', aliasName, use, trace);
      const key = this.#changes.find(keyId, 'CreateAlias', use, trace);
      assertFreeAlias(this.#ring, aliasName);
      assertKeyChangeable(key);
      this.#assertRoomForAlias(key);
      return () => this.#putAlias(aliasName, key);
    });
  }

  updateAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    const { aliasName, keyId } = request;
    return this.#changes.make('UpdateAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      const alias = this.#ring.alias(aliasName);
      this.#authorizeAlias('UpdateAlias', aliasName, use, trace);
      // Both keys, as AWS wants it: who may not touch the old one must not take its alias away.
      const before = this.#changes.find(alias.keyId, 'UpdateAlias', use, trace);
      const key = this.#changes.find(keyId, 'UpdateAlias', use, trace);
      assertKeyChangeable(key);
      assertAliasFits(aliasName, before, key);
      if (alias.keyId !== key.record.keyId) this.#assertRoomForAlias(key);
      return () => this.#putAlias(aliasName, key, alias);
    });
  }

  #assertRoomForAlias({ record }: HeldKey): void {
    if (this.#ring.aliasesOf(record.keyId).length < MAX_ALIASES_PER_KEY) return;
    throw new KeysError('ERR_KEYS_LIMIT', `Aliases per key limit exceeded: ${MAX_ALIASES_PER_KEY}`);
  }

  deleteAlias(aliasName: string, use: KeyUse): Promise<void> {
    return this.#changes.make('DeleteAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      const alias = this.#ring.alias(aliasName);
      this.#authorizeAlias('DeleteAlias', aliasName, use, trace);
      this.#changes.find(alias.keyId, 'DeleteAlias', use, trace);
      return () => {
        this.#changes.commit([deleteAlias(alias)]);
        this.#ring.deleteAlias(aliasName);
      };
    });
  }

  /** An alias is a resource of its own: identity policies must allow the action on it, and on its keys besides. */
  #authorizeAlias(action: string, alias: string, use: KeyUse, trace: UseTrace): void {
    this.#recorder.authorizeAbout({ alias }, trace, action, use, {});
  }

  async describeKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    await this.#firstUses.make({ action: 'DescribeKey', keyId, context: null }, use);
    return this.#recorder.record('DescribeKey', use, null, (trace) =>
      describeKey(this.#ring, this.#changes.find(keyId, 'DescribeKey', use, trace)),
    );
  }

  listKeys(use: KeyUse): Promise<readonly KeyDescription[]> {
    return this.#list('ListKeys', use, () => this.#ring.keys().map((key) => describeKey(this.#ring, key)));
  }

  listAliases(use: KeyUse): Promise<readonly AliasDescription[]> {
    return this.#list('ListAliases', use, () =>
      withUnmadeAliases(
        this.#ring,
        this.#ring.aliases().map((alias) => describeAlias(this.#ring, alias)),
      ),
    );
  }

  #list<Result>(action: string, use: KeyUse, list: () => Result): Promise<Result> {
    return this.#recorder.record(action, use, null, (trace) => {
      this.#recorder.authorize(trace, action, use, {});
      return list();
    });
  }

  #setState(keyId: string, action: string, state: KeyState, use: KeyUse): Promise<KeyDescription> {
    return this.#changes.make(action, use, (trace) => {
      const key = this.#changes.find(keyId, action, use, trace);
      assertKeySwitchable(key);
      if (state === 'enabled') assertNotHeldBack(key);
      return () => this.#applyState(key, state, trace);
    });
  }

  #applyState(key: HeldKey, state: KeyState, trace: UseTrace): KeyDescription {
    if (key.record.state === state) return describeKey(this.#ring, key);
    const changed = this.#changes.putRecord(key, { state, stateSince: this.#changes.now() }, trace);
    this.#changes.parts.cache.dropKey(changed.record.keyId);
    return describeKey(this.#ring, changed);
  }

  #putAlias(aliasName: string, key: HeldKey, old?: AliasRecord): AliasDescription {
    const now = this.#changes.now();
    const { keyId, region } = key.record;
    const alias = { aliasName, region, keyId, createdAt: old?.createdAt ?? now, updatedAt: now };
    this.#changes.commit([put('aliases', aliasRow(alias))]);
    this.#ring.putAlias(alias);
    return describeAlias(this.#ring, alias);
  }
}

/** What its current material holds back no EnableKey brings back; ERR_KEYS_INVALID_STATE. */
function assertNotHeldBack(key: HeldKey): void {
  const { record, current, arn } = key;
  if (record.state !== 'enabled' || key.state() !== 'disabled') return;
  const state = current?.record.state;
  const remedy = state === 'suspended' ? 'reactivate it' : 'rotate the key';
  throw new KeysError('ERR_KEYS_INVALID_STATE', `${arn} has a current material that is ${state}: ${remedy}.`);
}
