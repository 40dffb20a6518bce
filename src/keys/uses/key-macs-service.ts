/** MACs: made and verified. A wrong one is told by its error alone, in time that depends on lengths alone. */
import { equalBytes } from '../../crypto/bytes.ts';
import type { KeyUse } from './data-keys.ts';
import { endDryRun } from './dry-run.ts';
import { KeysError } from '../errors.ts';
import { kindOf } from '../key-kinds.ts';
import type { KeyMacs, MacRequest } from './key-macs.ts';
import { assertKeyUsable, assertKeyUsage, currentOf, type HeldKey, type KeyRing } from '../key-ring.ts';
import { MAX_MESSAGE_BYTES } from '../limits.ts';
import { macOf } from '../material.ts';
import { aliasNamed } from '../request-facts.ts';
import type { UseRecorder, UseTrace } from './use-recorder.ts';

export class KeyMacsService implements KeyMacs {
  readonly #ring: KeyRing;
  readonly #recorder: UseRecorder;

  constructor(ring: KeyRing, recorder: UseRecorder) {
    this.#ring = ring;
    this.#recorder = recorder;
  }

  generate(request: MacRequest, use: KeyUse): Promise<{ keyArn: string; mac: Uint8Array }> {
    return this.#recorder.record('GenerateMac', use, null, (trace) => {
      const key = this.#macKey('GenerateMac', request, use, trace);
      const bytes = request.message.length;
      this.#recorder.life.assertProtects(key, trace, bytes);
      endDryRun(request);
      this.#recorder.life.count(key, trace, bytes);
      return { keyArn: key.arn, mac: compute(key, request.message) };
    });
  }

  verify(request: MacRequest & { mac: Uint8Array }, use: KeyUse): Promise<{ keyArn: string }> {
    return this.#recorder.record('VerifyMac', use, null, (trace) => {
      const key = this.#macKey('VerifyMac', request, use, trace);
      this.#recorder.life.assertProcesses(key, currentOf(key), trace);
      const mac = compute(key, request.message);
      const isRight = equalBytes(mac, request.mac);
      mac.fill(0);
      if (!isRight) throw new KeysError('ERR_KEYS_MAC_INVALID', 'the MAC does not verify');
      endDryRun(request);
      return { keyArn: key.arn };
    });
  }

  #macKey(action: string, request: MacRequest, use: KeyUse, trace: UseTrace): HeldKey {
    const { keyId, message, algorithm, dryRun } = request;
    trace.isDryRun = dryRun;
    if (message.length < 1 || message.length > MAX_MESSAGE_BYTES)
      throw new KeysError('ERR_KEYS_INVALID_REQUEST', `a message has 1 to ${MAX_MESSAGE_BYTES} bytes`);
    const key = this.#ring.find(keyId);
    trace.key = key;
    trace.material = key.current;
    const parameters = { MacAlgorithm: algorithm, ...aliasNamed(keyId, this.#ring.realm) };
    this.#recorder.authorize(trace, action, use, {}, { parameters });
    assertKeyUsage(key, 'GENERATE_VERIFY_MAC', action);
    const { spec } = key.record;
    if (kindOf(spec).mac?.algorithm !== algorithm)
      throw new KeysError('ERR_KEYS_KEY_USAGE', `Algorithm ${algorithm} is incompatible with key spec ${spec}.`);
    assertKeyUsable(key);
    return key;
  }
}

function compute(key: HeldKey, message: Uint8Array): Uint8Array {
  const current = currentOf(key);
  if (current.secret.type !== 'mac') throw new TypeError('a MAC key without a MAC key’s material');
  return macOf(current.secret, message);
}
