import { expect, test } from 'vitest';
import { formatXml } from './listing/xml-tree.ts';
import { probeConditions, type ConditionCapabilities } from './check-conditions.ts';
import { AWS_CAPABILITIES } from './upstream/capabilities.ts';
import type { UpstreamClient, UpstreamRequest, UpstreamResponse } from './upstream/client.ts';
import { WholeBody } from './upstream/upstream-body.ts';

/** A store with one object, that obeys these conditions and no others: no real one here obeys any on copies and completions. */
function storeThatObeys(...obeyed: readonly string[]): UpstreamClient {
  const send = ({ query = new Map(), headers = {} }: UpstreamRequest): Promise<UpstreamResponse> => {
    const wrong = headers['if-none-match'] === '*' || /^"?0{32}"?$/u.test(headers['if-match'] ?? '');
    const refused = wrong && obeyed.some((name) => headers[name] !== undefined);
    const document = query.has('uploads') ? formatXml('InitiateMultipartUploadResult', { UploadId: 'u' }) : '';
    const body = new WholeBody(Buffer.from(document));
    return Promise.resolve({ status: refused ? 412 : 200, headers: { etag: '"e"' }, body });
  };
  const store = { capabilities: AWS_CAPABILITIES, send };
  return { stores: [store], storeOf: () => store, send, close: () => Promise.resolve() };
}

const found = (...obeyed: readonly string[]): Promise<ConditionCapabilities> =>
  probeConditions({ upstream: storeThatObeys(...obeyed), bucket: 'b', key: 'k' });

test('Copies and completions are conditional where both conditions are obeyed', async () => {
  expect(await found('if-none-match', 'if-match')).toEqual({
    conditionalWrites: true,
    conditionalReplacements: 'quoted',
    conditionalCopyWrites: true,
    conditionalCompletions: true,
    conditionalDeletions: true,
  });
});

test('Who ignores If-Match is not trusted with it on copies and completions', async () => {
  expect(await found('if-none-match')).toEqual({
    conditionalWrites: true,
    conditionalReplacements: false,
    conditionalCopyWrites: false,
    conditionalCompletions: false,
    conditionalDeletions: false,
  });
});
