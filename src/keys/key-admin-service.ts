/** Changes to keys: durable and tried first, then visible, then acknowledged. One at a time. */
import type { AuditLog } from './audit/log.ts';
import { checkNewAlias, newKeyUuid, parseKeyReference } from './arn.ts';
import type { KeyUse } from './data-keys.ts';
import { describeAlias, describeKey } from './describe.ts';
import type { DekCache } from './dek-cache.ts';
import { KeysError } from './errors.ts';
import type { AliasDescription, KeyDescription } from './key-admin.ts';
import { assertKeyUsable, holdMaterial, type HeldKey, type HeldMaterial, type KeyRing } from './key-ring.ts';
import type { KeyState } from './key-states.ts';
import { MAX_DESCRIPTION_CHARS } from './limits.ts';
import { makeMaterial, type MaterialVault } from './material.ts';
import type { KeyPorts } from './options.ts';
import { aliasRow, keyRow, materialRow, parseMaterialRow, type KeyRecord, type MaterialRecord } from './records.ts';
import type { KeyDatabase, RowChange } from './stores/key-database.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

export type AdminParts = {
  readonly ring: KeyRing;
  readonly cache: DekCache;
  readonly recorder: UseRecorder;
  readonly log: AuditLog;
  readonly database: KeyDatabase;
  readonly vault: MaterialVault;
  readonly ports: KeyPorts;
};

/** A change that was checked and may be made: `apply` makes it durable and visible, and gives the answer. */
type Plan<Result> = { readonly apply: () => Result };

export class KeyAdminService {
  readonly #parts: AdminParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  createKey(request: { description?: string; alias?: string }, use: KeyUse): Promise<KeyDescription> {
    const { description = '', alias } = request;
    return this.#change('CreateKey', use, (trace) => {
      checkDescription(description);
      if (alias !== undefined) {
        trace.detail = { alias };
        this.#assertFreeAlias(alias);
      }
      this.#parts.recorder.authorize(trace, 'CreateKey', use, {});
      return { apply: () => this.#create(description, alias, trace) };
    });
  }

  rotateKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#change('RotateKeyOnDemand', use, (trace) => {
      const key = this.#find(keyId, 'RotateKeyOnDemand', use, trace);
      assertKeyUsable(key);
      return { apply: () => this.#rotate(key, trace) };
    });
  }

  enableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'EnableKey', 'enabled', use);
  }

  disableKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#setState(keyId, 'DisableKey', 'disabled', use);
  }

  createAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    return this.#change('CreateAlias', use, (trace) => {
      trace.detail = { alias: request.aliasName };
      const key = this.#find(request.keyId, 'CreateAlias', use, trace);
      this.#assertFreeAlias(request.aliasName);
      return { apply: () => this.#putAlias(request.aliasName, key, this.#now()) };
    });
  }

  updateAlias(request: { aliasName: string; keyId: string }, use: KeyUse): Promise<AliasDescription> {
    return this.#change('UpdateAlias', use, (trace) => {
      trace.detail = { alias: request.aliasName };
      const alias = this.#parts.ring.alias(request.aliasName);
      const key = this.#find(request.keyId, 'UpdateAlias', use, trace);
      return { apply: () => this.#putAlias(alias.aliasName, key, alias.createdAt) };
    });
  }

  deleteAlias(aliasName: string, use: KeyUse): Promise<void> {
    return this.#change('DeleteAlias', use, (trace) => {
      trace.detail = { alias: aliasName };
      const alias = this.#parts.ring.alias(aliasName);
      this.#find(alias.keyId, 'DeleteAlias', use, trace);
      return {
        apply: () => {
          this.#commit([{ type: 'delete', table: 'aliases', id: aliasName }]);
          this.#parts.ring.deleteAlias(aliasName);
        },
      };
    });
  }

  describeKey(keyId: string, use: KeyUse): Promise<KeyDescription> {
    return this.#parts.recorder.record('DescribeKey', use, null, (trace) =>
      describeKey(this.#parts.ring, this.#find(keyId, 'DescribeKey', use, trace)),
    );
  }

  listKeys(use: KeyUse): Promise<readonly KeyDescription[]> {
    return this.#parts.recorder.record('ListKeys', use, null, (trace) => {
      this.#parts.recorder.authorize(trace, 'ListKeys', use, {});
      return this.#parts.ring.keys().map((key) => describeKey(this.#parts.ring, key));
    });
  }

  listAliases(use: KeyUse): Promise<readonly AliasDescription[]> {
    return this.#parts.recorder.record('ListAliases', use, null, (trace) => {
      this.#parts.recorder.authorize(trace, 'ListAliases', use, {});
      return this.#parts.ring.aliases().map((alias) => describeAlias(this.#parts.ring, alias));
    });
  }

  /** Runs `work` when no change is under way, and lets none begin meanwhile. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** Checked, recorded as started, made, recorded as done: there is no unrecorded change, whenever the process dies. */
  #change<Result>(action: string, use: KeyUse, plan: (trace: UseTrace) => Plan<Result>): Promise<Result> {
    const { recorder } = this.#parts;
    return this.exclusively(() =>
      recorder.record(action, use, null, async (trace) => {
        const { apply } = plan(trace);
        await recorder.write(action, use, null, trace, 'started');
        return apply();
      }),
    );
  }

  #find(keyId: string, action: string, use: KeyUse, trace: UseTrace): HeldKey {
    const key = this.#parts.ring.find(keyId);
    trace.key = key;
    this.#parts.recorder.authorize(trace, action, use, {});
    return key;
  }

  #create(description: string, alias: string | undefined, trace: UseTrace): KeyDescription {
    const { ports, vault } = this.#parts;
    const createdAt = this.#now();
    const keyId = newKeyUuid(ports.random);
    const material = makeMaterial(keyId, 1, createdAt, vault, ports.random);
    const record: KeyRecord = {
      keyId,
      spec: 'SYMMETRIC_DEFAULT',
      usage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      description,
      state: 'enabled',
      stateSince: createdAt,
      currentMaterial: material.materialId,
      createdAt,
    };
    const aliases = alias === undefined ? [] : [{ aliasName: alias, keyId, createdAt }];
    const changes: RowChange[] = [put('keys', keyRow(record)), put('materials', materialRow(material))];
    for (const each of aliases) changes.push(put('aliases', aliasRow(each)));
    this.#commit(changes);
    this.#publish(record, [this.#reread(material)], trace);
    for (const each of aliases) this.#parts.ring.putAlias(each);
    return describeKey(this.#parts.ring, this.#parts.ring.byId(keyId));
  }

  #rotate(key: HeldKey, trace: UseTrace): KeyDescription {
    const { ports, vault } = this.#parts;
    const now = this.#now();
    const old = key.current;
    const next = makeMaterial(key.record.keyId, old.record.version + 1, now, vault, ports.random);
    const retired: MaterialRecord = { ...old.record, state: 'deactivated', stateSince: now, stateReason: 'rotated' };
    const record: KeyRecord = { ...key.record, currentMaterial: next.materialId };
    this.#commit([
      put('materials', materialRow(retired)),
      put('materials', materialRow(next)),
      put('keys', keyRow(record)),
    ]);
    const others = [...key.materials.values()].filter((material) => material !== old);
    this.#publish(record, [...others, this.#reread(retired), this.#reread(next)], trace);
    return describeKey(this.#parts.ring, this.#parts.ring.byId(record.keyId));
  }

  #setState(keyId: string, action: string, state: KeyState, use: KeyUse): Promise<KeyDescription> {
    return this.#change(action, use, (trace) => {
      const key = this.#find(keyId, action, use, trace);
      if (key.record.state !== 'enabled' && key.record.state !== 'disabled') assertKeyUsable(key);
      return { apply: () => this.#applyState(key, state, trace) };
    });
  }

  #applyState(key: HeldKey, state: KeyState, trace: UseTrace): KeyDescription {
    if (key.record.state === state) return describeKey(this.#parts.ring, key);
    const record = { ...key.record, state, stateSince: this.#now() };
    this.#commit([put('keys', keyRow(record))]);
    this.#publish(record, [...key.materials.values()], trace);
    this.#parts.cache.dropKey(record.keyId);
    return describeKey(this.#parts.ring, this.#parts.ring.byId(record.keyId));
  }

  #putAlias(aliasName: string, key: HeldKey, createdAt: string): AliasDescription {
    const alias = { aliasName, keyId: key.record.keyId, createdAt };
    this.#commit([put('aliases', aliasRow(alias))]);
    this.#parts.ring.putAlias(alias);
    return describeAlias(this.#parts.ring, alias);
  }

  #commit(changes: readonly RowChange[]): void {
    this.#parts.database.commit(changes, this.#parts.log.syncedHead);
  }

  /** The material as it now lies on the disk, opened and tried on its canary: only then is it used or acknowledged. */
  #reread(material: MaterialRecord): HeldMaterial {
    const row = this.#parts.database.row('materials', material.materialId);
    if (row === undefined) throw new KeysError('ERR_KEYS_STORE_WRITE', 'a material did not read back');
    return holdMaterial(parseMaterialRow(row), this.#parts.vault);
  }

  #publish(record: KeyRecord, materials: readonly HeldMaterial[], trace: UseTrace): void {
    this.#parts.ring.putKey(record, materials);
    trace.key = this.#parts.ring.byId(record.keyId);
    trace.material = trace.key.current;
  }

  #assertFreeAlias(aliasName: string): void {
    checkNewAlias(aliasName);
    parseKeyReference(aliasName, this.#parts.ring.realm);
    if (this.#parts.ring.hasAlias(aliasName))
      throw new KeysError('ERR_KEYS_ALIAS_EXISTS', `${aliasName} exists already`);
  }

  #now(): string {
    return new Date(this.#parts.ports.now()).toISOString();
  }
}

function put(table: 'keys' | 'materials' | 'aliases', row: ReturnType<typeof keyRow>): RowChange {
  return { type: 'put', table, row };
}

function checkDescription(description: string): void {
  if (description.length > MAX_DESCRIPTION_CHARS || !description.isWellFormed()) {
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `a description is well-formed text of at most ${MAX_DESCRIPTION_CHARS} characters`,
    );
  }
}
