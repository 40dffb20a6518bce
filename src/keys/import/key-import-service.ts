/**
 * Import of material that others made. What is imported is unwrapped and tried before the change's own turn comes: other changes, such as
 * disabling a key, go on meanwhile. Nobody learns anything of the material but its id.
 */
import type { RequestFacts } from '../access/request.ts';
import { assertNoAlias } from '../arn.ts';
import { invalidCiphertext } from '../uses/ciphertexts.ts';
import { encodePublicKey } from '../../crypto/pairs/key-pair.ts';
import { isConsistent } from '../../crypto/pairs/pair-check.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { KeysError } from '../errors.ts';
import { put, type KeyChanges } from '../admin/key-changes.ts';
import { holdMaterial, stateRefuses, type HeldKey, type HeldMaterial } from '../key-ring.ts';
import { DAY_MS, IMPORT_TOKEN_MS, MAX_IMPORT_DAYS } from '../limits.ts';
import { makeMaterial, materialIdOf, type MaterialFacts } from '../material.ts';
import { assertConsistent } from '../pairs/pair-material.ts';
import { noteInHistory } from '../life/material-history.ts';
import { keyRow, materialRow, type MaterialRecord } from '../records.ts';
import type { RelatedKey } from '../regions/key-regions.ts';
import type { ServiceKeys } from '../service-keys.ts';
import type { UseTrace } from '../uses/use-recorder.ts';
import {
  assertImportFits,
  awaitedMaterial,
  importTypeOf,
  planImport,
  recordAfter,
  type ImportPlan,
} from './import-plan.ts';
import { openToken, sealToken, type TokenKey } from './import-token.ts';
import { checkedMaterial } from './imported-bytes.ts';
import type { ImportParameters, ImportRequest, KeyImport, ParametersRequest } from './key-import.ts';
import { removeMaterial } from './remove-material.ts';
import { canWrap, unwrapMaterial, WRAPPING_KEY_BITS, type WrappingKeySpec } from './wrapping.ts';

/** The material, or why it cannot be had: that is said, and recorded, when its turn has come. */
type Unwrapped =
  { readonly material: Uint8Array; readonly wrappingSpec: WrappingKeySpec } | { readonly failure: unknown };

type ReasonedPlan = ImportPlan & {
  /** For the material's history; undefined: as it should be. */
  readonly weakness: string | undefined;
};

export class KeyImportService implements KeyImport {
  readonly #changes: KeyChanges;
  readonly #service: ServiceKeys;

  constructor(changes: KeyChanges, service: ServiceKeys) {
    this.#changes = changes;
    this.#service = service;
  }

  parameters(request: ParametersRequest, use: KeyUse): Promise<ImportParameters> {
    const { recorder, pairs, ports } = this.#changes.parts;
    const { keyId, algorithm, wrappingSpec } = request;
    const action = 'GetParametersForImport';
    return recorder.record(action, use, null, async (trace) => {
      const facts = { parameters: { WrappingAlgorithm: algorithm, WrappingKeySpec: wrappingSpec } };
      const key = this.#importable(action, keyId, use, trace, facts);
      if (!canWrap(algorithm, wrappingSpec, key.record.spec))
        throw unsupported(`${algorithm} with ${wrappingSpec} cannot wrap the key material of ${key.record.spec}.`);
      trace.detail = { algorithm, wrappingKey: wrappingSpec };
      recorder.life.assertWrapping(key, wrappingSpec);
      const pair = await pairs.generate({ type: 'rsa', bits: WRAPPING_KEY_BITS[wrappingSpec] });
      if (!(await isConsistent(pair, { type: 'encrypt' }, pairs)))
        throw new CryptoError('ERR_CRYPTO_SELF_TEST', 'pair-wise consistency of a wrapping key');
      const validTo = this.#changes.nowMs() + IMPORT_TOKEN_MS;
      const token = sealToken({ algorithm, wrappingSpec, validTo }, tokenKey(key), pair, this.#service, ports.random);
      const publicKey = encodePublicKey(pair.publicKey);
      return { keyArn: key.arn, token, publicKey, validTo: new Date(validTo).toISOString() };
    });
  }

  async importMaterial(request: ImportRequest, use: KeyUse): Promise<{ keyArn: string; materialId: string }> {
    const unwrapped = await this.#unwrap(request, use);
    try {
      return await this.#changes.make('ImportKeyMaterial', use, (trace) => {
        const key = this.#check(request, use, trace);
        if ('failure' in unwrapped) throw unwrapped.failure;
        const { material, wrappingSpec } = unwrapped;
        const materialId = Buffer.from(materialIdOf(key.record.keyId, material)).toString('hex');
        trace.material = { name: materialId };
        trace.detail = { ...trace.detail, wrappingKey: wrappingSpec };
        const { life } = this.#changes.parts.recorder;
        const weakness = life.acceptsWrapping(key, wrappingSpec, trace, materialId);
        const plan = { ...planImport(key, request, materialId), weakness };
        return () => this.#import(key, request, plan, material, { trace, use });
      });
    } finally {
      if ('material' in unwrapped) unwrapped.material.fill(0);
    }
  }

  deleteMaterial(
    { keyId, materialId }: { keyId: string; materialId?: string | undefined },
    use: KeyUse,
  ): Promise<{ keyArn: string; materialId: string | undefined }> {
    const action = 'DeleteImportedKeyMaterial';
    return this.#changes.make(action, use, (trace) => {
      const key = this.#externalKey(action, keyId, use, trace);
      if (materialId !== undefined && key.record.spec !== 'SYMMETRIC_DEFAULT')
        throw unsupported('KeyMaterialId is for symmetric encryption keys only.');
      const material = materialId === undefined ? key.current : materialOf(key, materialId);
      trace.material = material;
      return () => {
        if (material !== undefined) removeMaterial(this.#changes, key, material, trace);
        return { keyArn: key.arn, materialId: material?.name };
      };
    });
  }

  /** Only for who may import: nobody else has anything unwrapped. */
  async #unwrap(request: ImportRequest, use: KeyUse): Promise<Unwrapped> {
    const { pairs } = this.#changes.parts;
    try {
      const key = this.#check(request, use, {});
      const token = openToken(request.token, tokenKey(key), this.#service, this.#changes.nowMs());
      const { algorithm, wrappingSpec, pair } = token;
      const opened = await unwrapMaterial(algorithm, pair.privateKey, request.wrapped, pairs);
      if (opened === undefined) throw invalidCiphertext();
      try {
        return { material: await checkedMaterial(key.record, opened, pairs), wrappingSpec };
      } finally {
        opened.fill(0);
      }
    } catch (failure) {
      return { failure };
    }
  }

  #check(request: ImportRequest, use: KeyUse, trace: UseTrace): HeldKey {
    const { validTo } = request;
    const ends = validTo === undefined ? undefined : isoTime(validTo);
    const model = validTo === undefined ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : 'KEY_MATERIAL_EXPIRES';
    // In seconds: AWS's policies compare it by numbers, and dates are read from it too.
    const until = validTo === undefined ? {} : { ValidTo: String(validTo / 1000) };
    const facts = { parameters: { ExpirationModel: model, ...until } };
    const key = this.#importable('ImportKeyMaterial', request.keyId, use, trace, facts);
    if (key.state() === 'disabled') throw stateRefuses(key);
    assertValidTo(validTo, this.#changes.nowMs());
    assertImportFits(key, request);
    trace.detail = { importType: importTypeOf(key, request), validTo: ends ?? 'never' };
    return key;
  }

  async #import(
    key: HeldKey,
    request: ImportRequest,
    plan: ReasonedPlan,
    material: Uint8Array,
    { trace, use }: { readonly trace: UseTrace; readonly use: KeyUse },
  ): Promise<{ keyArn: string; materialId: string }> {
    const { vault, ports, pairs } = this.#changes.parts;
    const now = this.#changes.nowMs();
    const made = asImported(
      makeMaterial(key.record, plan.version, this.#factsOf(request, plan, use), vault, ports.random, material),
      plan,
    );
    const others = [...key.materials.values()].filter((each) => each !== plan.old);
    const record = recordAfter(key, made, others, now);
    const awaited = plan.old === undefined ? this.#awaitedBy(key, made) : [];
    this.#changes.commit([
      put('keys', keyRow(record)),
      put('materials', materialRow(made)),
      ...awaited.map(({ material: each }) => put('materials', materialRow(each))),
    ]);
    const held = this.#changes.reread(made, record);
    if (held.secret.type === 'pair') await assertConsistent(record, held.secret, pairs);
    this.#changes.publish(record, [...others, held], trace);
    for (const { ring, key: replica, material: each } of awaited)
      ring.putKey(replica.record, [...replica.materials.values(), holdMaterial(each, replica.record, vault)]);
    trace.material = held;
    return { keyArn: key.arn, materialId: held.name };
  }

  /** Its replicas are to have the same. */
  #awaitedBy(key: HeldKey, made: MaterialRecord): readonly (RelatedKey & { readonly material: MaterialRecord })[] {
    const replicas = this.#changes.related(key).filter((each) => each.key !== key);
    return replicas.map((each) => ({ ...each, material: awaitedMaterial(made, each.key.record.region) }));
  }

  #factsOf(
    { validTo, description }: ImportRequest,
    { state, old, weakness }: ReasonedPlan,
    use: KeyUse,
  ): MaterialFacts {
    return {
      createdAt: this.#changes.now(),
      by: use.principal,
      state,
      stateReason: weakness ?? 'imported',
      validTo: validTo === undefined ? undefined : isoTime(validTo),
      description: description ?? old?.record.description,
    };
  }

  /** A key that takes material at all now. */
  #importable(action: string, keyId: string, use: KeyUse, trace: UseTrace, facts: RequestFacts): HeldKey {
    const key = this.#externalKey(action, keyId, use, trace, facts);
    const { state } = key.record;
    if (state === 'pending-deletion' || state === 'pending-replica-deletion') throw stateRefuses(key);
    return key;
  }

  #externalKey(action: string, keyId: string, use: KeyUse, trace: UseTrace, facts: RequestFacts = {}): HeldKey {
    assertNoAlias(keyId, this.#changes.parts.ring.realm);
    const key = this.#changes.find(keyId, action, use, trace, facts);
    const { origin } = key.record;
    if (origin === 'EXTERNAL') return key;
    throw unsupported(`${key.arn} origin is ${origin} which is not valid for this operation.`);
  }
}

const tokenKey = ({ uuid, record: { region } }: HeldKey): TokenKey => ({ uuid, region });

/** What was there before keeps its place and its history: only its bytes, its end and its description are new, and how they came where that was weak. */
function asImported(made: MaterialRecord, { old, weakness }: ReasonedPlan): MaterialRecord {
  if (old === undefined) return made;
  const { wrapped, canary, validTo, description, history } = made;
  const again = { ...old.record, wrapped, canary, validTo, description };
  const [came] = history;
  return weakness === undefined || came === undefined ? again : noteInHistory(again, came);
}

/** ERR_KEYS_NOT_FOUND. */
function materialOf(key: HeldKey, materialId: string): HeldMaterial {
  const found = [...key.materials.values()].find(({ name }) => name === materialId);
  if (found !== undefined) return found;
  throw new KeysError('ERR_KEYS_NOT_FOUND', `Key material (id: ${materialId}) is not associated with ${key.arn}.`);
}

/** ERR_KEYS_INVALID_REQUEST. */
function assertValidTo(validTo: number | undefined, now: number): void {
  if (validTo === undefined || (validTo > now && validTo <= now + MAX_IMPORT_DAYS * DAY_MS)) return;
  throw new KeysError(
    'ERR_KEYS_INVALID_REQUEST',
    `The validTo date must be in the future, and within ${MAX_IMPORT_DAYS} days.`,
  );
}

/** Undefined for what is no time at all, which `assertValidTo` refuses. */
function isoTime(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

function unsupported(message: string): KeysError {
  return new KeysError('ERR_KEYS_UNSUPPORTED', message);
}
