/**
 * Asked before every use of a key: whether its material may still do it, by its state, its periods and its limits (SP 800-57 part 1, 5.3).
 * What has ended is told as the key's profile says: a warning, another material, or a refusal. Nothing is ever destroyed by it.
 */
import { KeysError } from '../../errors.ts';
import { strengthBits } from '../algorithms/approval.ts';
import { assertMaterialAllows, currentOf, type HeldKey, type HeldMaterial, type KeyRing } from '../../key-ring.ts';
import type { KeySpec } from '../../key-kinds.ts';
import { NO_USE, type UseCounts } from '../counts/use-counts.ts';
import type { KeyTerms, LifeTerms } from '../terms/key-terms.ts';
import { limitEnd, originatorEnd, recipientEnd, standingOf, type LifeEnd, type Standing } from './life-end.ts';
import { RotationDue } from './rotation-due.ts';
import { Warnings, type LifeOutcome, type LifeWarning } from './warnings.ts';

/** Of the use's trace: what is to be recorded with it. */
export type LifeTrace = {
  warnings?: readonly LifeWarning[] | undefined;
  /** Protected by it. */
  bytes?: number | undefined;
  /** It only asks: nothing is used, rotated, counted or told of. */
  isDryRun?: boolean | undefined;
};

type Parts = {
  readonly ring: KeyRing;
  readonly terms: LifeTerms;
  /** Undefined: no limit is set anywhere. */
  readonly counts: UseCounts | undefined;
  readonly now: () => number;
};
type KeyLife = { readonly terms: KeyTerms; readonly standings: WeakMap<HeldMaterial, Standing> };

export class LifeGuard {
  readonly #parts: Parts;
  readonly #lives = new WeakMap<HeldKey, KeyLife>();
  readonly #warnings = new Warnings();
  #rotate: (keyId: string, bytes: number) => Promise<boolean> = () => Promise.resolve(false);

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** From now on; false: it was not due any more. */
  rotateBy(rotate: (keyId: string, bytes: number) => Promise<boolean>): void {
    this.#rotate = rotate;
  }

  rotate(due: RotationDue): Promise<boolean> {
    return this.#rotate(due.keyId, due.bytes);
  }

  termsOf(key: HeldKey): KeyTerms {
    return this.#lifeOf(key).terms;
  }

  /** `bytes`: that it is to protect; 0: not known yet. Errors: ERR_KEYS_INVALID_STATE, ERR_KEYS_PERIOD_OVER (a RotationDue where it can be rotated). */
  assertProtects(key: HeldKey, trace: LifeTrace, bytes: number): void {
    const material = currentOf(key);
    assertMaterialAllows(material, 'protect');
    const end = this.#protectEnd(key, material, bytes);
    if (end === undefined) return;
    if (!this.#rotates(key, bytes)) return this.#stop(key, material, end, trace);
    if (trace.isDryRun !== true) throw new RotationDue(key.record.keyId, bytes, refusalText(key, end));
  }

  /** Errors: ERR_KEYS_INVALID_STATE, ERR_KEYS_PERIOD_OVER. */
  assertProcesses(key: HeldKey, material: HeldMaterial, trace: LifeTrace): void {
    assertMaterialAllows(material, 'process');
    const life = this.#lifeOf(key);
    const end = recipientEnd(this.#standing(life, material), this.#parts.now());
    if (end !== undefined) this.#tell(key, material, end, life.terms.recipientEnd === 'deny', trace);
  }

  /** Whether a secret is agreed on for new data or for old, nobody can tell: so it goes by the recipient period, and is counted. */
  assertAgrees(key: HeldKey, trace: LifeTrace, bytes: number): void {
    const material = currentOf(key);
    this.assertProcesses(key, material, trace);
    const { terms } = this.#lifeOf(key);
    const limit = limitEnd(terms, this.#usedOf(material), bytes);
    if (limit !== undefined) this.#stop(key, material, limit, trace);
    const end = originatorEnd(this.#standing(this.#lifeOf(key), material), this.#parts.now());
    if (end !== undefined) this.#tell(key, material, end, false, trace);
  }

  /** It is about to protect so many bytes. Before it does, so that uses under way count. */
  count(key: HeldKey, trace: LifeTrace, bytes: number): void {
    trace.bytes = bytes;
    this.#parts.counts?.note(currentOf(key).name, bytes);
  }

  /** A wrapping key is not to be weaker than what it wraps; ERR_KEYS_WEAK_WRAPPING, where that is refused for the key. */
  assertWrapping(key: HeldKey, wrappingSpec: KeySpec): void {
    const [wraps, wrapped] = [strengthBits(wrappingSpec), strengthBits(key.record.spec)];
    if (wraps >= wrapped || this.termsOf(key).weakWrapping === 'warn') return;
    throw new KeysError(
      'ERR_KEYS_WEAK_WRAPPING',
      `${wrappingSpec} has ${wraps} bits of security strength, and key material of ${key.record.spec} has ${wrapped}: a wrapping key must not be weaker than what it wraps.`,
    );
  }

  /** The same for material that has come. How it came, for its history, where the wrapping key was weaker and that is taken. */
  acceptsWrapping(key: HeldKey, wrappingSpec: KeySpec, trace: LifeTrace, material: string): string | undefined {
    this.assertWrapping(key, wrappingSpec);
    const [wrappingBits, bits] = [strengthBits(wrappingSpec), strengthBits(key.record.spec)];
    if (wrappingBits >= bits) return undefined;
    const facts = { wrappingKey: wrappingSpec, wrappingBits, bits };
    this.#warn(key, material, { reason: 'weak wrapping', facts }, 'used', trace);
    return `imported, wrapped by ${wrappingSpec} (${wrappingBits} bits of strength)`;
  }

  /** Why its current material is to be replaced before it protects so many bytes; undefined: it is not, or cannot be. */
  rotationDue(key: HeldKey, bytes = 0): LifeEnd | undefined {
    const { current } = key;
    if (current?.record.state !== 'active' || key.state() !== 'enabled') return undefined;
    const end = this.#protectEnd(key, current, bytes);
    return end !== undefined && this.#rotates(key, bytes) ? end : undefined;
  }

  forget(warning: LifeWarning): void {
    this.#warnings.forget(warning);
  }

  #protectEnd(key: HeldKey, material: HeldMaterial, bytes: number): LifeEnd | undefined {
    const life = this.#lifeOf(key);
    return (
      originatorEnd(this.#standing(life, material), this.#parts.now()) ??
      limitEnd(life.terms, this.#usedOf(material), bytes)
    );
  }

  #usedOf({ name, record }: HeldMaterial): ReturnType<UseCounts['of']> {
    return this.#parts.counts?.of(name, record.createdAt) ?? NO_USE;
  }

  #rotates(key: HeldKey, bytes: number): boolean {
    const terms = this.termsOf(key);
    const { spec, origin } = key.record;
    if (terms.profile !== 'nist' || spec !== 'SYMMETRIC_DEFAULT' || origin !== 'AWS_KMS') return false;
    return limitEnd(terms, this.#usedOfNew(), bytes) === undefined;
  }

  /** Not nothing where records are missing and the clock was set back since: each use would make a material, and none would do. */
  #usedOfNew(): ReturnType<UseCounts['of']> {
    return this.#parts.counts?.of('', new Date(this.#parts.now()).toISOString()) ?? NO_USE;
  }

  /** By the key's profile. */
  #stop(key: HeldKey, material: HeldMaterial, end: LifeEnd, trace: LifeTrace): void {
    this.#tell(key, material, end, this.termsOf(key).profile === 'nist', trace);
  }

  #tell(key: HeldKey, { name }: HeldMaterial, end: LifeEnd, isRefused: boolean, trace: LifeTrace): void {
    this.#warn(key, name, end, isRefused ? 'refused' : 'used', trace);
    if (isRefused) throw new KeysError('ERR_KEYS_PERIOD_OVER', refusalText(key, end));
  }

  #warn(key: HeldKey, material: string, end: LifeEnd, outcome: LifeOutcome, trace: LifeTrace): void {
    // Told once a day: it is the use's to be told of, which may come after who asked.
    if (trace.isDryRun === true) return;
    const { profile, rule } = this.termsOf(key);
    const why = rule === undefined ? {} : { rule: rule.number, because: rule.reason };
    const facts = { ...end.facts, profile, ...why };
    const warning = { keyArn: key.arn, material, reason: end.reason, facts, outcome };
    if (this.#warnings.isDue(warning, this.#parts.now())) trace.warnings = [...(trace.warnings ?? []), warning];
  }

  #standing({ terms, standings }: KeyLife, material: HeldMaterial): Standing {
    const known = standings.get(material);
    if (known !== undefined) return known;
    const standing = standingOf(terms, material.record);
    standings.set(material, standing);
    return standing;
  }

  /** A key is another object once its aliases, which rules go by, are changed. */
  #lifeOf(key: HeldKey): KeyLife {
    const known = this.#lives.get(key);
    if (known !== undefined) return known;
    const terms = this.#parts.terms.of(key.record, this.#parts.ring.aliasesOf(key.record.keyId));
    const life = { terms, standings: new WeakMap<HeldMaterial, Standing>() };
    this.#lives.set(key, life);
    return life;
  }
}

function refusalText({ arn }: HeldKey, { reason, facts }: LifeEnd): string {
  const { endedAt, limit, used } = facts;
  const why = endedAt === undefined ? `${reason} of ${limit}, ${used} used` : `${reason}, ${endedAt}`;
  const does = reason === 'end of recipient period' ? 'processes' : 'protects';
  return `${arn} ${does} nothing more with this key material (${why}), by the key life profile nist.`;
}
