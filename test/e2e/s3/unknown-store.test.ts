/** Uploads while it could not be found out what the store can do, here one that lists no parts: they wait, and go on once it is known. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { inFrontOf } from '../../support/s3/in-front-of.ts';
import { startSealed, type SealedSetup } from '../../support/s3/sealed.ts';
import { completeUpload, createUpload, MIB, outcomeOf, readObject, sendPart } from '../../support/s3/uploads.ts';

let setup: SealedSetup;
inFrontOf('s3rver', async (backend) => {
  setup = await startSealed(backend);
  return [setup];
});

test('a completion is put off, and not refused for good', async () => {
  const { backend } = setup.edges[0].gateway.caches;
  const learn = backend.learn.bind(backend);
  backend.learn = () => Promise.resolve(undefined);
  const upload = await createUpload(setup, 'unknown');
  const bodies = [randomBytes(5 * MIB), randomBytes(1000)] as const;
  const parts = [await sendPart(setup, upload, 1, bodies[0]), await sendPart(setup, upload, 2, bodies[1])];
  expect(await outcomeOf(completeUpload(setup, upload, parts))).toBe('SlowDown');
  backend.learn = learn;
  expect(await outcomeOf(completeUpload(setup, upload, parts))).toBe('ok');
  expect(Buffer.compare(await readObject(setup, 'unknown', 1), Buffer.concat(bodies))).toBe(0);
});
