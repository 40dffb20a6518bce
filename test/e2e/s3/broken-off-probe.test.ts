/** A store that stops answering while the gateway finds out what it can do: nobody is held, and what lies there of it goes, and is not repeated. */
import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { BackendKnowledge } from '../../../src/s3/sealing/backend-knowledge.ts';
import type { GatewayContext } from '../../../src/s3/operation.ts';
import { sendingBy, type UpstreamRequest, type UpstreamResponse } from '../../../src/s3/upstream/client.ts';
import { sealedOnRadosgw } from '../../support/s3/in-front-of.ts';
import { BUCKET } from '../../support/s3/sealed.ts';

const sealed = sealedOnRadosgw();

const begins = ({ method, query }: UpstreamRequest): boolean => method === 'POST' && query?.has('uploads') === true;

/** The gateway with a store that is hung while told so: what it then gets it never answers. */
function hanging({ upstream, ...gateway }: GatewayContext) {
  const state = { isHung: false, hung: 0, begun: [] as (string | undefined)[], clock: 0, failures: 0 };
  const told: GatewayContext = {
    ...gateway,
    random: randomBytes,
    now: () => state.clock,
    log: { ...gateway.log, warn: () => (state.failures += 1) },
    upstream: sendingBy(upstream, async (request) => {
      if (begins(request)) state.begun.push(request.key);
      if (state.isHung) {
        state.hung += 1;
        return silence(request);
      }
      const response = await upstream.send(request);
      // As of the last of these answers.
      state.isHung = begins(request) && request.key?.endsWith('-some') === true && state.failures === 0;
      return response;
    }),
  };
  return { state, told };
}

const silence = ({ signal }: UpstreamRequest): Promise<UpstreamResponse> =>
  new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => {
      reject(signal.reason as Error); // Of these requests it is an error.
    });
  });

/** What of probes lies in the bucket, as the store says. */
async function leftovers(): Promise<readonly (string | undefined)[]> {
  const { direct } = sealed.setup;
  const Prefix = '.sealgate/probe/';
  const { Contents = [] } = await direct.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
  const { Uploads = [] } = await direct.send(new ListMultipartUploadsCommand({ Bucket: BUCKET, Prefix }));
  return [...Contents, ...Uploads].map(({ Key }) => Key);
}

test('a probe that breaks off holds nobody, is not repeated over what it left, and that is cleared away', async () => {
  const { state, told } = hanging(sealed.setup.edges[0].gateway);
  const knowledge = new BackendKnowledge(3000);
  const again = (): void => void (state.clock += 3_600_000);

  expect(await knowledge.learn(told, BUCKET)).toBe(undefined);
  const heldFor = state.hung;
  // Clearing up goes on without whoever asked.
  await expect.poll(() => state.failures, { timeout: 60_000 }).toBe(1);
  expect(state.hung).toBeGreaterThan(heldFor);
  expect(await leftovers()).toHaveLength(2);

  // Still hung: it is asked to clear what is left, and for nothing else.
  again();
  const begun = [...state.begun];
  expect(await knowledge.learn(told, BUCKET)).toBe(undefined);
  await expect.poll(() => state.failures, { timeout: 60_000 }).toBe(2);
  expect([state.begun, await leftovers()]).toEqual([begun, [begun[0], `${String(begun[0])}-some`]]);

  again();
  state.isHung = false;
  await expect.poll(() => knowledge.learn(told, BUCKET), { timeout: 60_000 }).toMatchObject({ multipart: true });
  expect(await leftovers()).toEqual([]);
});
