/** What a key does, by the members in which AWS lists it. */
import { algorithmsOf, type KeySpec, type KeyUsage } from '../keys/key-kinds.ts';
import type { JsonOutput } from './json/write.ts';
import { LEGACY_KEY_SPECS } from './key-specs.ts';

/** `CustomerMasterKeySpec` is deprecated and knows no newer ones. */
export function keyAlgorithms(spec: KeySpec, usage: KeyUsage): { readonly [member: string]: JsonOutput } {
  const { encryption, signing, agreement, encapsulation, mac } = algorithmsOf(spec, usage);
  return {
    CustomerMasterKeySpec: LEGACY_KEY_SPECS.find((legacy) => legacy === spec),
    KeySpec: spec,
    KeyUsage: usage,
    EncryptionAlgorithms: encryption,
    SigningAlgorithms: signing,
    KeyAgreementAlgorithms: agreement,
    EncapsulationAlgorithms: encapsulation,
    MacAlgorithms: mac,
  };
}
