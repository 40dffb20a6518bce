import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { DecryptionVolume } from './decryption-volume.ts';

type Alarm = { readonly principal: string; readonly key: string; readonly perMinute: number };

function watched(perMinute?: number) {
  const registry = new Registry();
  const clock = { ms: 0 };
  const alarms: Alarm[] = [];
  const volume = new DecryptionVolume(registry, () => clock.ms);
  volume.raise({ perMinute, raised: (alarm) => void alarms.push(alarm) });
  const lines = async (): Promise<readonly string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('sealgate_'));
  return { volume, clock, alarms, lines };
}

test('each caller and key is counted by itself, and once', async () => {
  const { volume, lines, alarms } = watched();
  for (let n = 0; n < 3; n++) volume.note('ann', 'k1');
  volume.note('ann', 'k2');
  volume.note('bob', 'k1');
  const expected = [
    'sealgate_decryptions_total{principal="ann",key="k1"} 3',
    'sealgate_decryptions_total{principal="ann",key="k2"} 1',
    'sealgate_decryptions_total{principal="bob",key="k1"} 1',
  ];
  expect(await lines()).toEqual(expected);
  expect(await lines()).toEqual(expected);
  expect(alarms).toEqual([]);
});

test('an alarm is raised once for each minute in which there are more than the threshold', async () => {
  const { volume, clock, alarms, lines } = watched(3);
  const alarm = { principal: 'ann', key: 'k', perMinute: 3 };
  for (let n = 0; n < 3; n++) volume.note('ann', 'k');
  expect(alarms).toEqual([]);
  for (let n = 0; n < 5; n++) volume.note('ann', 'k');
  expect(alarms).toEqual([alarm]);
  clock.ms = 60_000;
  for (let n = 0; n < 3; n++) volume.note('ann', 'k');
  expect(alarms).toEqual([alarm]);
  volume.note('ann', 'k');
  expect(alarms).toEqual([alarm, alarm]);
  expect(await lines()).toContain('sealgate_decryption_alarms_total{principal="ann",key="k"} 2');
});

test('beyond a thousand callers and keys the rest is one', async () => {
  const { volume, lines } = watched();
  for (let n = 0; n < 1500; n++) volume.note(`role-${n}`, 'k');
  const counted = await lines();
  expect(counted).toHaveLength(1001);
  expect(counted).toContain('sealgate_decryptions_total{principal="other",key="other"} 500');
});
