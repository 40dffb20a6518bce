/**
 * How much each caller decrypts with each key: as a metric, and as an alarm where a caller goes beyond what is usual. Who reads a whole
 * table or bucket through stolen credentials is allowed to; what gives them away is the volume.
 */
import { Counter, type Registry } from 'prom-client';

/** Callers times keys that are counted by name; beyond it they are one, `other`: a metric must not grow without end. */
const MAX_PAIRS = 1000;
const WINDOW_MS = 60_000;
const OTHER = 'other';

type Labels = 'principal' | 'key';
type Pair = {
  readonly principal: string;
  readonly key: string;
  /** Not yet in the counter. */
  pending: number;
  windowStartMs: number;
  inWindow: number;
};

export type VolumeAlarm = {
  /** Decryptions in a minute, by one caller with one key, from which on there is an alarm; undefined: never. */
  readonly perMinute: number | undefined;
  /** Once for each minute in which the threshold is crossed. */
  readonly raised: (alarm: { readonly principal: string; readonly key: string; readonly perMinute: number }) => void;
};

export class DecryptionVolume {
  readonly #pairs = new Map<string, Map<string, Pair>>();
  readonly #alarms: Counter<Labels>;
  readonly #now: () => number;
  #alarm: VolumeAlarm | undefined;
  #size = 0;

  /** `now`: milliseconds, monotonic. */
  constructor(registry: Registry, now: () => number = () => performance.now()) {
    const registers = [registry];
    const pairs = this.#pairs;
    this.#now = now;
    new Counter<Labels>({
      name: 'sealgate_decryptions_total',
      help: 'Uses of keys that opened something, by caller and key.',
      labelNames: ['principal', 'key'],
      registers,
      collect() {
        for (const byKey of pairs.values()) {
          for (const pair of byKey.values()) {
            this.inc({ principal: pair.principal, key: pair.key }, pair.pending);
            pair.pending = 0;
          }
        }
      },
    });
    this.#alarms = new Counter<Labels>({
      name: 'sealgate_decryption_alarms_total',
      help: 'Minutes in which a caller decrypted more with a key than keys.alarm allows.',
      labelNames: ['principal', 'key'],
      registers,
    });
  }

  /** From now on. */
  raise(alarm: VolumeAlarm): void {
    this.#alarm = alarm;
  }

  note(principal: string, key: string): void {
    const pair = this.#pairs.get(principal)?.get(key) ?? this.#pair(principal, key);
    pair.pending += 1;
    const perMinute = this.#alarm?.perMinute;
    if (perMinute === undefined) return;
    const now = this.#now();
    if (now - pair.windowStartMs >= WINDOW_MS) {
      pair.windowStartMs = now;
      pair.inWindow = 0;
    }
    pair.inWindow += 1;
    if (pair.inWindow !== perMinute + 1) return;
    this.#alarms.inc({ principal: pair.principal, key: pair.key });
    this.#alarm?.raised({ principal: pair.principal, key: pair.key, perMinute });
  }

  #pair(principal: string, key: string): Pair {
    const isOther = this.#size >= MAX_PAIRS;
    const [by, of] = isOther ? [OTHER, OTHER] : [principal, key];
    const byKey = this.#pairs.get(by) ?? new Map<string, Pair>();
    this.#pairs.set(by, byKey);
    const known = byKey.get(of);
    if (known !== undefined) return known;
    const pair = { principal: by, key: of, pending: 0, windowStartMs: this.#now(), inWindow: 0 };
    byKey.set(of, pair);
    this.#size += 1;
    return pair;
  }
}
