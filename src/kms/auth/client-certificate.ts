/**
 * Client certificates as callers. TLS has checked chain, validity, purpose and revocation against the configured CA; here the
 * certificate's subject or one of its names is mapped to a principal. A certificate that fails any of it is refused, also where
 * none is required: who shows a bad one is not treated as somebody who shows none.
 */
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { namesOf, subjectOf } from '../../crypto/certificate-names.ts';
import { KmsError } from '../errors.ts';

/** Which certificates stand for a principal: the whole subject (`O=Acme, CN=backup`), or a name (`DNS:…`, `URI:…`, `email:…`). */
export type CertificateCaller =
  | { readonly type: 'subject'; readonly subject: string; readonly principal: string }
  | { readonly type: 'name'; readonly name: string; readonly principal: string };

/** A certificate that is good: whom it stands for is asked only where nothing else says who asks. */
export type ShownCertificate = { readonly principals: readonly string[]; readonly validUntilMs: number };

export class ClientCertificates {
  readonly #principals: ReadonlyMap<string, string>;
  readonly #now: () => number;
  /** One connection shows one certificate. */
  readonly #shown = new WeakMap<Socket, ShownCertificate>();

  constructor(callers: readonly CertificateCaller[], now: () => number) {
    this.#principals = new Map(callers.map((caller) => [keyOf(caller), caller.principal]));
    this.#now = now;
  }

  /** Undefined: there is none. ERR_KMS_UNRECOGNIZED_CLIENT for one that is not good. */
  shownBy(socket: Socket): ShownCertificate | undefined {
    if (!(socket instanceof TLSSocket)) return undefined;
    const shown = this.#shown.get(socket) ?? this.#look(socket);
    if (shown === undefined) return undefined;
    this.#shown.set(socket, shown);
    // A connection may outlive its certificate.
    if (this.#now() > shown.validUntilMs) throw refused('it has expired');
    return shown;
  }

  #look(socket: TLSSocket): ShownCertificate | undefined {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return undefined;
    if (!socket.authorized) throw refused(String(socket.authorizationError));
    const names = [`subject:${subjectOf(certificate)}`, ...namesOf(certificate).map((name) => `name:${name}`)];
    const principals = new Set(names.flatMap((name) => this.#principals.get(name) ?? []));
    return { principals: [...principals], validUntilMs: Date.parse(certificate.validTo) };
  }
}

/** The one principal it stands for; ERR_KMS_UNRECOGNIZED_CLIENT. */
export function principalOf({ principals }: ShownCertificate): string {
  const [principal, another] = principals;
  if (principal === undefined) throw refused('it stands for nobody in `kms.clients`');
  if (another !== undefined) throw refused('it stands for more than one client');
  return principal;
}

const keyOf = (caller: CertificateCaller): string =>
  caller.type === 'subject' ? `subject:${caller.subject}` : `name:${caller.name}`;

/** The reason is for the log; the client is told no more than that it is not known. */
function refused(reason: string): KmsError {
  return new KmsError('ERR_KMS_UNRECOGNIZED_CLIENT', undefined, { cause: new Error(`client certificate: ${reason}`) });
}
