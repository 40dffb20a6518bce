/** Signatures: made and verified off the event loop. A wrong one is told by its error alone. */
import type { PairCrypto } from '../../crypto/pairs/pair-crypto.ts';
import type { DigestScheme } from '../../crypto/pairs/digest-signature.ts';
import type { MessageScheme } from '../../crypto/pairs/message-signature.ts';
import type { KeyUse } from '../uses/data-keys.ts';
import { endDryRun } from '../uses/dry-run.ts';
import { KeysError } from '../errors.ts';
import { algorithmsOf } from '../key-kinds.ts';
import { assertKeyUsable, assertKeyUsage, currentOf, pairOf, type HeldKey, type KeyRing } from '../key-ring.ts';
import type { KeySignatures, SignatureRequest } from './key-signatures.ts';
import { MAX_MESSAGE_BYTES } from '../limits.ts';
import { aliasNamed } from '../request-facts.ts';
import { signingAlgorithm } from './signing-algorithms.ts';
import type { UseRecorder, UseTrace } from '../uses/use-recorder.ts';

export class KeySignaturesService implements KeySignatures {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;
  readonly #pairs: PairCrypto;

  constructor(ring: KeyRing, recorder: UseRecorder, pairs: PairCrypto) {
    this.#ring = ring;
    this.#recorder = recorder;
    this.#pairs = pairs;
  }

  sign(request: SignatureRequest, use: KeyUse): Promise<{ keyArn: string; signature: Uint8Array }> {
    return this.#recorder.record('Sign', use, null, async (trace) => {
      const key = this.#signingKey('Sign', request, use, trace);
      const bytes = request.message.length;
      this.#recorder.life.assertProtects(key, trace, bytes);
      const form = formOf(request);
      endDryRun(request);
      this.#recorder.life.count(key, trace, bytes);
      const { privateKey } = pairOf(currentOf(key));
      const signature =
        form.type === 'message'
          ? await this.#pairs.signMessage(form.scheme, privateKey, request.message)
          : await this.#pairs.signDigest(form.scheme, privateKey, request.message);
      return { keyArn: key.arn, signature };
    });
  }

  verify(request: SignatureRequest & { signature: Uint8Array }, use: KeyUse): Promise<{ keyArn: string }> {
    return this.#recorder.record('Verify', use, null, async (trace) => {
      const key = this.#signingKey('Verify', request, use, trace);
      this.#recorder.life.assertProcesses(key, currentOf(key), trace);
      const form = formOf(request);
      const { publicKey } = pairOf(currentOf(key));
      const { message, signature } = request;
      const isRight =
        form.type === 'message'
          ? await this.#pairs.verifyMessage(form.scheme, publicKey, message, signature)
          : await this.#pairs.verifyDigest(form.scheme, publicKey, message, signature);
      if (!isRight) throw new KeysError('ERR_KEYS_SIGNATURE_INVALID', 'the signature does not verify');
      endDryRun(request);
      return { keyArn: key.arn };
    });
  }

  #signingKey(action: string, request: SignatureRequest, use: KeyUse, trace: UseTrace): HeldKey {
    const { keyId, message, messageType, algorithm, dryRun } = request;
    trace.isDryRun = dryRun;
    trace.detail = { algorithm, messageType };
    if (message.length < 1 || message.length > MAX_MESSAGE_BYTES)
      throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a message has 1 to ${MAX_MESSAGE_BYTES} bytes`);
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.material = key.current;
    const own = { SigningAlgorithm: algorithm, MessageType: messageType };
    const parameters = { ...own, ...aliasNamed(keyId, this.#ring.realm) };
    this.#recorder.authorize(trace, action, use, {}, { parameters });
    assertKeyUsage(key, 'SIGN_VERIFY', action);
    const { spec, usage } = key.record;
    if (!algorithmsOf(spec, usage).signing?.includes(algorithm))
      throw new KeysError('ERR_KEYS_KEY_USAGE', `Algorithm ${algorithm} is incompatible with key spec ${spec}.`);
    assertKeyUsable(key);
    return key;
  }
}

type Form =
  | { readonly type: 'message'; readonly scheme: MessageScheme }
  | { readonly type: 'digest'; readonly scheme: DigestScheme };

/** How the message is to be taken; ERR_KEYS_INVALID_REQUEST. */
function formOf({ algorithm, messageType, message }: SignatureRequest): Form {
  const forms = signingAlgorithm(algorithm);
  if (messageType === 'RAW' && forms.message !== undefined) return { type: 'message', scheme: forms.message };
  if (forms.digest?.messageType !== messageType)
    throw new KeysError(
      'ERR_KEYS_INVALID_REQUEST',
      `MessageType ${messageType} is not compatible with SigningAlgorithm ${algorithm}.`,
    );
  if (message.length !== forms.digest.bytes)
    throw new KeysError('ERR_KEYS_INVALID_REQUEST', `Digest is invalid length for algorithm ${algorithm}.`);
  return { type: 'digest', scheme: forms.digest.scheme };
}
