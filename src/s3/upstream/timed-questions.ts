/**
 * What the gateway asks a store for itself, about what it can do or how a bucket is set: many requests may wait for one such answer, and whoever
 * asked first may be gone. So the answer has a time of its own, much shorter than that of an object, and a store that hangs holds nobody for longer.
 * And connections of its own: behind those that objects hold, also for those who wait for the answer, the time would pass before the store is asked.
 */
import { S3Error } from '../errors.ts';
import { STORE_QUESTION_MS } from '../limits.ts';
import { sendingBy, type UpstreamClient, type UpstreamRequest } from './client.ts';

/** Each request, with its tries and the reading of its answer, ends after so long with ERR_S3_UPSTREAM_TIMEOUT. */
export const timedQuestions = (upstream: UpstreamClient, limitMs = STORE_QUESTION_MS): UpstreamClient =>
  sendingBy(upstream, (request) => upstream.send(timedQuestion(request, limitMs)));

export const timedQuestion = (request: UpstreamRequest, limitMs = STORE_QUESTION_MS): UpstreamRequest => ({
  ...request,
  lane: 'beside',
  signal: endingAfter(limitMs),
});

function endingAfter(limitMs: number): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new S3Error('ERR_S3_UPSTREAM_TIMEOUT')), limitMs).unref();
  return controller.signal;
}
