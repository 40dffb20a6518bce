/**
 * The seam between the gateway's edge (server, router, authentication, bodies) and its operations: what an operation gets, what it
 * answers, and what it may use. An operation is a function of a request that is authenticated, routed and matched to its rule.
 */
import type { RandomSource } from '../crypto/random.ts';
import type { DataKeys } from '../keys/uses/data-keys.ts';
import type { CallerRights } from './access/rights.ts';
import type { ByteSource, Take } from './bodies/byte-source.ts';
import type { ChecksumAlgorithm } from './bodies/checksums.ts';
import type { VerifiedBody } from './bodies/verified-body.ts';
import type { GatewayCaches } from './caches.ts';
import type { S3OperationName } from './operation-names.ts';
import type { S3Rule, S3Rules } from './rules.ts';
import type { ByteGovernor, ShareHolder } from './sealing/governor.ts';
import type { UpstreamClient } from './upstream/client.ts';

/** Lower-case names; repeated headers joined by `,`. Values are the header's bytes as latin1, as Node has them. */
export type S3Headers = Readonly<Record<string, string>>;
/** Decoded names and values; a bare `?acl` has the empty value. Signature parameters are taken out. No name comes twice. */
export type S3Query = ReadonlyMap<string, string>;

/** Who asks: the access key that signed (empty: nobody did), and the principal it stands for. */
export type S3Caller = {
  readonly accessKeyId: string;
  readonly principal: string;
  /** What policies leave the caller; undefined where none speaks of it: then it may all that rules allow. */
  readonly rights?: CallerRights;
};

export type S3Request = {
  readonly operation: S3OperationName;
  /** Also the answer's `x-amz-request-id`. */
  readonly requestId: string;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';
  /** Empty for operations on the service. */
  readonly bucket: string;
  /** Percent-decoded; empty for operations on a bucket. */
  readonly key: string;
  readonly query: S3Query;
  readonly headers: S3Headers;
  readonly caller: S3Caller;
  /** It came over TLS. */
  readonly secure: boolean;
  /** What it was sent to, as the client named it: scheme, host and path. */
  readonly url: string;
  readonly body: S3Body;
  /** For shares of memory that are held for it. */
  readonly client: ShareHolder;
  /** The rule for the key; for operations on a bucket undefined: see `gateway.rules`. */
  readonly rule: S3Rule | undefined;
  /** The source of a copy is read: its metadata is wanted as its author wrote it, not as answers show it. */
  readonly isCopySource?: true;
  /** Aborted when the client vanished. */
  readonly signal: AbortSignal;
};

/** The request's body: unframed, and verified as it is read. */
export interface S3Body extends ByteSource {
  /** Bytes of plaintext that pouring gives in all: the decoded length. 0 for a request without body. */
  readonly length: number;
  /** The checksum that comes after the body, if one does: known when `verified` resolves. */
  readonly trailing?: ChecksumAlgorithm | undefined;
  /** The checksum that comes with the body, before or after it. */
  readonly announced: ChecksumAlgorithm | undefined;
  /** Has this checksum computed as well, and shown where none is announced. Before the body is read. */
  computeToo(algorithm: ChecksumAlgorithm): void;
  /**
   * Gives plaintext, once. Resolves only after length, payload hash, chunk and trailer signatures, Content-MD5 and checksums have
   * verified; otherwise it rejects with S3Error. So whoever withholds what completes the object until then stores nothing that is wrong.
   */
  pour(take: Take): Promise<void>;
  /** Likewise, in pieces that are lent: their memory is given back as soon as `take` has returned, whether or not it makes the source wait. */
  lend(take: Take): Promise<void>;
  /** Resolves when all was read and found true; never rejects on its own (`pour` does). */
  readonly verified: Promise<VerifiedBody>;
  /** The whole body for small documents, at most `maxBytes` (ERR_S3_ENTITY_TOO_LARGE, or ERR_S3_MALFORMED_XML where told). */
  bytes(maxBytes: number): Promise<Uint8Array>;
}

export type S3Response = {
  readonly status: number;
  /** Lower-case names. `content-length` is there when `body` is a stream (but for answers that come late), and for answers to HEAD. The server adds request ids and date. */
  readonly headers: S3Headers;
  /** A stream that fails after it began closes the connection: the client sees a truncated answer, never a wrong one. */
  readonly body?: Uint8Array | ByteSource;
};

/** Structured log of the observe room; fields never hold secrets. */
export type S3Log = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** What operations need to know of the configuration. */
export type GatewayOptions = {
  readonly region: string;
  /** How LIST finds plaintext sizes where the ETag cannot tell: `head` looks each row up (bounded), `stored` shows the stored size. */
  readonly listSizes: 'head' | 'stored';
  /** The checksum of bodies that come without one; `none`: nothing is computed that no client asked for. */
  readonly defaultChecksum: 'none' | 'crc64nvme';
  /** Where the backend does not decide on conditions of writes, the gateway looks before it writes: two writers at one instant can both pass. */
  readonly emulateConditions: boolean;
  /** Account id in ARNs and owners shown to clients. */
  readonly accountId: string;
  /** Customers' keys (SSE-C) are taken over plain HTTP too: something in front of the gateway ends TLS. */
  readonly customerKeysWithoutTls?: boolean;
  /** When answers that take long begin, and how often they go on (`edge/late-answer.ts`); as in `limits.ts` unless told. */
  readonly lateAnswers?: { readonly afterMs: number; readonly everyMs: number };
};

/** What an operation may use. */
export type GatewayContext = {
  readonly upstream: UpstreamClient;
  readonly dataKeys: DataKeys;
  readonly rules: S3Rules;
  readonly options: GatewayOptions;
  readonly log: S3Log;
  readonly random: RandomSource;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly caches: GatewayCaches;
  /** Bytes in flight over all requests. The edge takes a share for each (`edge/admission.ts`). */
  readonly governor: ByteGovernor;
  /** Bytes that segments larger than usual hold (`sealing/segment-room.ts`). */
  readonly segments: ByteGovernor;
  /** Bytes that request documents and what is parsed of them hold. */
  readonly documents: ByteGovernor;
  /** Bytes that parts hold which have to be whole before they are sent (`multipart/whole-part.ts`). */
  readonly wholeParts: ByteGovernor;
  /** Forwards the request as it is, signed anew (pass-through); for operations that need nothing changed. */
  readonly forward: (request: S3Request) => Promise<S3Response>;
};

/** One S3 operation on sealed keys (or, for bucket operations, on buckets that have a sealing rule). */
export type S3Operation = {
  readonly name: S3OperationName;
  handle(request: S3Request, gateway: GatewayContext): Promise<S3Response>;
};
