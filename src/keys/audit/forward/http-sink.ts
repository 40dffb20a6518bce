/** A collector that takes lines of JSON by HTTP POST; whatever answers 2xx has them. */
import { Agent, request } from 'undici';
import type { AuditSink, ReceiverTls } from './sink.ts';

export type HttpSinkOptions = {
  readonly url: string;
  /** The value of the header `authorization`. */
  readonly authorization?: (() => string) | undefined;
  /** Asked for every batch; the well-known authorities unless told. */
  readonly tls?: (() => ReceiverTls) | undefined;
};

const TIMEOUT_MS = 10_000;
const WELL_KNOWN: ReceiverTls = {};
const LINE_END = Buffer.from('\n');

export function httpSink({ url, authorization, tls = () => WELL_KNOWN }: HttpSinkOptions): AuditSink {
  let trusted = tls();
  let agent = openAgent(trusted);
  return {
    async send(lines, signal) {
      if (tls() !== trusted) {
        // Batches come one after another: nothing is under way.
        await agent.destroy();
        trusted = tls();
        agent = openAgent(trusted);
      }
      const secret = authorization === undefined ? {} : { authorization: authorization() };
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', ...secret },
        body: Buffer.concat(lines.flatMap(({ bytes }) => [bytes, LINE_END])),
        dispatcher: agent,
        signal,
      });
      await body.dump();
      // Its text may repeat what it was sent, so it is not told.
      if (statusCode < 200 || statusCode > 299) throw new Error(`the collector answered ${statusCode}`);
    },
    close: () => agent.destroy(),
  };
}

function openAgent({ ca }: ReceiverTls): Agent {
  return new Agent({
    connections: 1,
    connect: { timeout: TIMEOUT_MS, ...(ca !== undefined && { ca }) },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
}
