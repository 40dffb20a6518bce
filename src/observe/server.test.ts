import { afterEach, expect, test } from 'vitest';
import { Metrics } from './metrics.ts';
import type { Readiness } from './readiness.ts';
import { startObserveServer, type ObserveServer } from './server.ts';

const servers: ObserveServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function started(
  readiness: () => Promise<Readiness>,
  metrics = new Metrics(),
): Promise<{ url: string; metrics: Metrics }> {
  const server = await startObserveServer({ host: '127.0.0.1', port: 0, page: metrics.registry, readiness });
  servers.push(server);
  return { url: `http://127.0.0.1:${server.port}`, metrics };
}

const ready = async (): Promise<Readiness> => ({ ready: true, checks: [] });
const unready = async (): Promise<Readiness> => ({
  ready: false,
  checks: [{ name: 's3', ready: false, reason: 'timeout' }],
});

test('/healthz says that the process answers, whether or not it is ready', async () => {
  const { url } = await started(unready);
  const answer = await fetch(`${url}/healthz?x`);
  expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
});

test('/readyz answers 200 or 503, with what each check found', async () => {
  expect((await fetch(`${(await started(ready)).url}/readyz`)).status).toBe(200);
  const answer = await fetch(`${(await started(unready)).url}/readyz`);
  expect([answer.status, await answer.json()]).toEqual([503, await unready()]);
});

test('A readiness that fails itself is an answer, and the server goes on', async () => {
  const { url } = await started(() => Promise.reject(new Error('at 10.0.0.7')));
  const answer = await fetch(`${url}/readyz`);
  expect([answer.status, await answer.text()]).toEqual([500, 'failed\n']);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('/metrics is in the form of Prometheus and counts what was reported', async () => {
  const { url, metrics } = await started(ready);
  metrics.s3Request('GetObject', 200, 0.003);
  metrics.s3Bytes('out', 1024);
  metrics.statement('sealed');
  metrics.values('opened', 3);
  metrics.refused('postgres', 'ERR_POSTGRES_X');
  metrics.connections('s3', 1);
  metrics.connections('s3', -1);
  metrics.keyUse('Decrypt', 'success');
  metrics.dekCache('hit');
  const answer = await fetch(`${url}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/u);
  const lines = (await answer.text()).split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'sealgate_s3_requests_total{operation="GetObject",status="200"} 1',
      'sealgate_s3_request_duration_seconds_count{operation="GetObject"} 1',
      'sealgate_s3_bytes_total{direction="out"} 1024',
      'sealgate_postgres_statements_total{outcome="sealed"} 1',
      'sealgate_postgres_values_total{action="opened"} 3',
      'sealgate_refusals_total{listener="postgres",code="ERR_POSTGRES_X"} 1',
      'sealgate_connections{listener="s3"} 0',
      'sealgate_key_uses_total{action="Decrypt",result="success"} 1',
      'sealgate_dek_cache_total{result="hit"} 1',
    ]),
  );
});

test('Other paths and methods are refused; HEAD has no body', async () => {
  const { url } = await started(ready);
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});
