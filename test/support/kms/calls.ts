/** Calls of the KMS API that have to succeed, or to fail, and what tests compare answers with. */
import { expect } from 'vitest';
import { ACCOUNT, REGION, type TestKms } from './edge.ts';

export type Json = Readonly<Record<string, unknown>>;
type Calls = {
  /** The answer of a call that succeeds. */
  readonly ok: (action: string, input?: object) => Promise<Json>;
  /** Name and text of the error of one that does not. */
  readonly fails: (action: string, input?: object) => Promise<readonly unknown[]>;
};

export function callsOf(kms: () => TestKms): Calls {
  return {
    ok: async (action, input = {}) => {
      const { status, json, text } = await kms().call(action, input);
      expect([action, status, status === 200 ? '' : text]).toEqual([action, 200, '']);
      return json ?? {};
    },
    fails: async (action, input = {}) => {
      const { status, json } = await kms().call(action, input);
      expect(status).toBe(400);
      return [json?.['__type'], json?.['message']];
    },
  };
}

export const arn = (resource: string): string => `arn:aws:kms:${REGION}:${ACCOUNT}:${resource}`;
export const base64 = (text: string): string => Buffer.from(text).toString('base64');
// Matchers are typed any.
export const HEX64 = expect.stringMatching(/^[0-9a-f]{64}$/u) as string;
export const SECONDS = expect.any(Number) as number;
export const BLOB = expect.stringMatching(/^[A-Za-z0-9+/]+={0,2}$/u) as string;
