/** A collector that takes lines of JSON by HTTP POST; whatever answers 2xx has them. */
import { Agent, request } from 'undici';
import type { AuditSink } from './sink.ts';

export type HttpSinkOptions = {
  readonly url: string;
  /** The value of the header `authorization`. */
  readonly authorization?: (() => string) | undefined;
  /** PEM certificates that the server's is checked with; undefined: the system's. */
  readonly ca?: string | undefined;
};

const TIMEOUT_MS = 10_000;
const LINE_END = Buffer.from('\n');

export function httpSink({ url, authorization, ca }: HttpSinkOptions): AuditSink {
  const agent = new Agent({
    connections: 1,
    connect: { timeout: TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) },
    headersTimeout: TIMEOUT_MS,
    bodyTimeout: TIMEOUT_MS,
  });
  return {
    async send(lines, signal) {
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
