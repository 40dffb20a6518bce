import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { added, Counted } from './counted.ts';

function worker() {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({ name: 'requests', help: 'r', labelNames: ['operation'], registers });
  const seconds = new Histogram({ name: 'seconds', help: 's', buckets: [1], registers });
  const open = new Gauge({ name: 'open', help: 'o', registers });
  const state = { silent: false };
  const metrics = async () => (state.silent ? undefined : registry.getMetricsAsJSON());
  return { requests, seconds, open, state, metrics };
}

const page = async (counted: Counted, running: Parameters<Counted['by']>[0]): Promise<readonly string[]> =>
  (await added(await counted.by(running)).metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();

test('What a worker counted stays counted when it is gone, and what it had open does not stay open', async () => {
  const counted = new Counted();
  const [one, two, three] = [worker(), worker(), worker()];
  for (const each of [one, two]) {
    each.requests.inc({ operation: 'GetObject' }, 5);
    each.seconds.observe(0.5);
    each.open.set(3);
  }
  expect(await page(counted, [one, two])).toContain('requests{operation="GetObject"} 10');
  counted.ended(one);
  three.requests.inc({ operation: 'GetObject' }, 1);
  expect(await page(counted, [two, three])).toEqual([
    'open 3',
    'requests{operation="GetObject"} 11',
    'seconds_bucket{le="+Inf"} 2',
    'seconds_bucket{le="1"} 2',
    'seconds_count 2',
    'seconds_sum 1',
  ]);
  counted.ended(two);
  counted.ended(three);
  expect(await page(counted, [])).toContain('requests{operation="GetObject"} 11');
});

test('One that does not answer counts as it last did; one that ends while it is asked counts once', async () => {
  const counted = new Counted();
  const one = worker();
  one.requests.inc({ operation: 'GetObject' }, 5);
  await page(counted, [one]);
  one.state.silent = true;
  expect(await page(counted, [one])).toContain('requests{operation="GetObject"} 5');
  one.state.silent = false;
  const asked = page(counted, [one]);
  counted.ended(one);
  expect(await asked).toContain('requests{operation="GetObject"} 5');
  expect(await page(counted, [])).toContain('requests{operation="GetObject"} 5');
});
