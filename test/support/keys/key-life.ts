/** A key store whose clock the test moves by days, under rules on the life of keys. */
import { readFileSync } from 'node:fs';
import type { KeyManager } from '../../../src/keys/key-manager.ts';
import type { LifeWarning } from '../../../src/keys/life/guard/warnings.ts';
import type { LifeOptions, LifeRule } from '../../../src/keys/life/terms/options.ts';
import { DAY_MS } from '../../../src/keys/limits.ts';
import type { KeyManagerOptions } from '../../../src/keys/options.ts';
import { keyFolder, type KeyFolder } from './keys.ts';

export const START = Date.UTC(2026, 0, 1);

export type TimedKeys = {
  readonly keys: KeyFolder;
  readonly clock: { day: number };
  readonly warnings: LifeWarning[];
  readonly open: (life: Partial<LifeOptions>, more?: Partial<KeyManagerOptions>) => Promise<KeyManager>;
  readonly audit: (action?: string) => readonly Readonly<Record<string, unknown>>[];
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export async function timedKeys(): Promise<TimedKeys> {
  const keys = await keyFolder();
  const clock = { day: 0 };
  const warnings: LifeWarning[] = [];
  const metrics = {
    ...{ cacheHit: () => undefined, cacheMiss: () => undefined, keyUse: () => undefined },
    keyLife: (warning: LifeWarning) => void warnings.push(warning),
  };
  const open: TimedKeys['open'] = (life, more = {}) =>
    keys.open(
      { life: { profile: 'aws', recipientEnd: 'warn', rules: [], ...life }, ...more },
      { now: () => START + clock.day * DAY_MS, metrics },
    );
  const audit: TimedKeys['audit'] = (action) =>
    readFileSync(keys.options.audit.path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      // Its own lines.
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((record) => action === undefined || record['action'] === action);
  return { keys, clock, warnings, open, audit, [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose]() };
}

export const rule = (said: Partial<LifeRule>): LifeRule => ({ reason: 'for a test', ...said });
