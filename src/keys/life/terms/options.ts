/** What an operator says of the life of keys: the config's section `keys.life`. */
import type { KeyType } from '../periods/cryptoperiods.ts';

/**
 * What the end of a period or a limit does. `aws`: keys never start refusing, as those of AWS do not: a warning. `nist`: the originator end
 * rotates where it can, else refuses to protect; the recipient end is as `recipientEnd` says.
 */
export type LifeProfile = 'aws' | 'nist';

export type LifeOptions = {
  readonly profile: LifeProfile;
  /** Under `nist`, what is to become of data whose key's recipient period is over. */
  readonly recipientEnd: 'warn' | 'deny';
  /** The first that is about a key holds for it. */
  readonly rules: readonly LifeRule[];
};

/** What it does not say is as the section, and the standard, say. */
export type LifeRule = {
  /** Key ids, and names of aliases, `*` for any characters; undefined: all keys. */
  readonly keys?: readonly string[] | undefined;
  readonly types?: readonly KeyType[] | undefined;
  readonly profile?: LifeProfile | undefined;
  readonly recipientEnd?: 'warn' | 'deny' | undefined;
  /** Import under a wrapping key weaker than the material; by the profile unless told. */
  readonly weakWrapping?: 'warn' | 'refuse' | undefined;
  readonly originatorDays?: Days | undefined;
  readonly recipientDays?: Days | undefined;
  readonly maxOperations?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** Why, in the operator's words; recorded. */
  readonly reason: string;
};
type Days = number | 'unlimited';

export const DEFAULT_LIFE: LifeOptions = { profile: 'aws', recipientEnd: 'warn', rules: [] };
