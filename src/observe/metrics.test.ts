import { expect, test } from 'vitest';
import { Metrics } from './metrics.ts';

test('what is counted is in the next answer, once, and labels are kept apart', async () => {
  const metrics = new Metrics();
  const read = async (): Promise<readonly string[]> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => /^sealgate_(key_uses|postgres_values)/.test(line));
  metrics.keyUse('Decrypt', 'success');
  metrics.keyUse('Decrypt', 'ERR_KEYS_ACCESS_DENIED');
  metrics.values('sealed', 3);
  const first = await read();
  expect([...first].sort()).toEqual([
    'sealgate_key_uses_total{action="Decrypt",result="ERR_KEYS_ACCESS_DENIED"} 1',
    'sealgate_key_uses_total{action="Decrypt",result="success"} 1',
    'sealgate_postgres_values_total{action="sealed"} 3',
  ]);
  expect(await read()).toEqual(first);
  metrics.values('sealed', 2);
  expect(await read()).toContain('sealgate_postgres_values_total{action="sealed"} 5');
});
