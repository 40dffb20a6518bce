/**
 * The pair-wise consistency test of a new key pair (FIPS 140-3 IG 10.3.A): that the two halves belong together, tried by what the
 * pair is for.
 */
import { unreachable } from '../../errors.ts';
import { equalBytes } from '../bytes.ts';
import type { EcCurve, KeyPair } from './key-pair.ts';
import type { MessageScheme } from './message-signature.ts';
import type { PairCrypto } from './pair-crypto.ts';

export type PairPurpose =
  | { readonly type: 'sign'; readonly scheme: MessageScheme }
  | { readonly type: 'encrypt' }
  | { readonly type: 'encapsulate' }
  | { readonly type: 'agree'; readonly curve: EcCurve };

const TEXT = Buffer.from('sealgate pair-wise consistency');

export async function isConsistent(pair: KeyPair, purpose: PairPurpose, crypto: PairCrypto): Promise<boolean> {
  const { privateKey, publicKey } = pair;
  switch (purpose.type) {
    case 'sign': {
      const signature = await crypto.signMessage(purpose.scheme, privateKey, TEXT);
      return crypto.verifyMessage(purpose.scheme, publicKey, TEXT, signature);
    }
    case 'encrypt': {
      const ciphertext = await crypto.encrypt('sha256', publicKey, TEXT);
      const opened = await crypto.decrypt('sha256', privateKey, ciphertext);
      return opened !== undefined && equalBytes(opened, TEXT);
    }
    case 'encapsulate': {
      const { secret, ciphertext } = await crypto.encapsulate(publicKey);
      return equalBytes(await crypto.decapsulate(privateKey, ciphertext), secret);
    }
    case 'agree': {
      const peer = await crypto.generate({ type: 'ec', curve: purpose.curve });
      const [ours, theirs] = [
        await crypto.agree(privateKey, peer.publicKey),
        await crypto.agree(peer.privateKey, publicKey),
      ];
      return equalBytes(ours, theirs);
    }
    default:
      return unreachable(purpose);
  }
}
