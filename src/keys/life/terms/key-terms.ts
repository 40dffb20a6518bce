/** The terms that hold for a key: the standard's, changed by the first of the operator's rules that is about it. */
import { compileGlob, type Glob, type GlobToken } from '../../access/policy/glob.ts';
import type { KeyRecord } from '../../records.ts';
import { keyTypeOf, standardPeriods, type KeyType, type Periods, type UseLimits } from '../periods/cryptoperiods.ts';
import { periodsOf } from './check-rule.ts';
import type { LifeOptions, LifeProfile, LifeRule } from './options.ts';

export type KeyTerms = Periods &
  UseLimits & {
    readonly profile: LifeProfile;
    readonly recipientEnd: 'warn' | 'deny';
    readonly weakWrapping: 'warn' | 'refuse';
    /** The rule that changed them, by its place from 1, and why it is there; undefined: the section and the standard alone. */
    readonly rule: { readonly number: number; readonly reason: string } | undefined;
  };

/** What rules go by. */
type RuledKey = Pick<KeyRecord, 'keyId' | 'spec' | 'usage'>;
type Compiled = { readonly rule: LifeRule; readonly number: number; readonly names: readonly Glob[] | undefined };

export class LifeTerms {
  readonly #options: LifeOptions;
  readonly #rules: readonly Compiled[];
  /** Whether uses have to be counted at all. */
  readonly hasLimits: boolean;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.#rules = options.rules.map((rule, index) => ({ rule, number: index + 1, names: rule.keys?.map(globOf) }));
    this.hasLimits = options.rules.some((rule) => rule.maxOperations !== undefined || rule.maxBytes !== undefined);
  }

  of(key: RuledKey, aliases: readonly string[]): KeyTerms {
    const type = keyTypeOf(key.spec, key.usage);
    return this.#terms(
      type,
      this.#rules.find((compiled) => isAbout(compiled, key.keyId, type, aliases)),
    );
  }

  #terms(type: KeyType, found: Compiled | undefined): KeyTerms {
    const rule = found?.rule;
    const standard = standardPeriods(type);
    const profile = rule?.profile ?? this.#options.profile;
    return {
      ...periodsOf(rule, standard),
      maxOperations: rule?.maxOperations ?? standard.maxOperations,
      maxBytes: rule?.maxBytes ?? standard.maxBytes,
      profile,
      // A key that never starts refusing does not do so at its recipient end either.
      recipientEnd: profile === 'nist' ? (rule?.recipientEnd ?? this.#options.recipientEnd) : 'warn',
      weakWrapping: rule?.weakWrapping ?? (profile === 'nist' ? 'refuse' : 'warn'),
      rule: found === undefined ? undefined : { number: found.number, reason: found.rule.reason },
    };
  }
}

function isAbout({ rule, names }: Compiled, keyId: string, type: KeyType, aliases: readonly string[]): boolean {
  if (rule.types !== undefined && !rule.types.includes(type)) return false;
  return names?.some((name) => [keyId, ...aliases].some((each) => name.matches(each))) ?? true;
}

function globOf(pattern: string): Glob {
  const tokens = pattern
    .split(/(\*)/u)
    .filter((part) => part !== '')
    .map((part): GlobToken => (part === '*' ? { type: 'many' } : { type: 'text', text: part }));
  return compileGlob(tokens);
}
