/**
 * What is known of a part that was sealed: needed again on completion. It is remembered, and where the backend cannot list parts it
 * travels in the ETag the client is given and gives back: `<md5>-0-<length>-<salt id>`. An altered ETag makes a footer that contradicts
 * the parts, and such an object does not open: only its own client is harmed.
 */
import type { BodyDigests } from '../../envelope/object/record.ts';
import { bareEtag, clientEtag, upstreamEtag } from '../sealing/etag.ts';

export type KnownPart = {
  readonly plainLength: number;
  /** The first SALT_REFERENCE_BYTES of the part's salt, which the footer's digest is over. */
  readonly saltId: Uint8Array;
  /** Its plaintext's, computed when it came; remembered only. */
  readonly digests?: BodyDigests;
};

const CARRYING_ETAG = /^(.+)-0-([0-9a-z]{1,8})-([0-9a-f]{16})$/u;

/** The client's ETag of a part that carries what is known of it. */
export function carryingEtag(upstream: string, part: KnownPart): string {
  const salt = Buffer.from(part.saltId).toString('hex');
  return `"${bareEtag(upstream)}-0-${part.plainLength.toString(36)}-${salt}"`;
}

/** A part's ETag from a client, taken apart; `known` where it carries something. */
export function parsePartEtag(etag: string): { readonly upstream: string; readonly known: KnownPart | undefined } {
  const match = CARRYING_ETAG.exec(bareEtag(etag));
  if (match === null) return { upstream: upstreamEtag(etag), known: undefined };
  const [, upstream = '', length = '', salt = ''] = match;
  return { upstream, known: { plainLength: Number.parseInt(length, 36), saltId: Buffer.from(salt, 'hex') } };
}

export const partEtag = (upstream: string, part: KnownPart, carries: boolean): string =>
  carries ? carryingEtag(upstream, part) : clientEtag(upstream);

export const knownPartName = (objectId: Uint8Array, number: number, upstream: string): string =>
  `${Buffer.from(objectId).toString('hex')}/${number}/${bareEtag(upstream)}`;
