/** Who asks, with the rights that policies leave them: from the connection and the signature that was found good. */
import type { IncomingMessage } from 'node:http';
import { parseTimestamp } from '../../sigv4/timestamp.ts';
import type { S3AccessKey } from '../auth/authenticate.ts';
import type { S3Caller, S3Headers, S3Log, S3Query } from '../operation.ts';
import { conditionValues, type SignatureFacts } from './condition-values.ts';
import { CallerRights, type S3Access } from './rights.ts';

/** What is known of a request before it is decided. */
export type CallerOrigin = {
  readonly incoming: IncomingMessage;
  readonly query: S3Query;
  readonly headers: S3Headers;
  readonly requestId: string;
};

export type Signed = {
  readonly type: 'header' | 'presigned' | 'form';
  readonly key: S3AccessKey;
  readonly timestamp: string;
};

type Around = { readonly access: S3Access; readonly log: S3Log; readonly now: () => number };

/** `signed` undefined: nobody signed the request. */
export function callerOf(signed: Signed | undefined, origin: CallerOrigin, { access, log, now }: Around): S3Caller {
  const principal = signed?.key.principal ?? access.anonymous;
  const caller = { accessKeyId: signed?.key.accessKeyId ?? '', principal };
  if (signed !== undefined && !access.isLimited(principal)) return caller;
  const signature = signed === undefined ? undefined : signatureFacts(signed, now());
  const facts = { ...connectionFacts(origin.incoming), s3: conditionValues(origin, signature) };
  const { requestId } = origin;
  const rights = new CallerRights(access, principal, facts, (refusal) =>
    log.info({ requestId, ...refusal }, 'no policy allows what a client of the S3 gateway asked for'),
  );
  return { ...caller, rights };
}

const SIGNATURE_TYPES = { header: 'REST-HEADER', presigned: 'REST-QUERY-STRING', form: 'POST' } as const;

function signatureFacts({ type, timestamp }: Signed, now: number): SignatureFacts {
  return { type: SIGNATURE_TYPES[type], ageMs: now - (parseTimestamp(timestamp) ?? 0) };
}

function connectionFacts({ socket, headers }: IncomingMessage) {
  const sourceIp = socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/u, '');
  const userAgent = headers['user-agent'];
  return {
    secureTransport: 'encrypted' in socket,
    ...(sourceIp === undefined ? {} : { sourceIp }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}
