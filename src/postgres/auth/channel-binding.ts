/** tls-server-end-point (RFC 5929): the hash of the server's certificate, by the hash its signature uses, SHA-256 at least. */
import { createHash, X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';

/** Undefined where the certificate's signature names no single hash (Ed25519, RSA-PSS): then there is no binding of this kind. */
export function endPointBinding(certificate: X509Certificate): Uint8Array | undefined {
  const algorithm = certificate.signatureAlgorithm?.toLowerCase() ?? '';
  const hash = /sha(?:-?)(256|384|512|224)/.exec(algorithm)?.[1];
  if (hash !== undefined) return digest(`sha${hash}`, certificate);
  if (/md5|sha-?1/.test(algorithm)) return digest('sha256', certificate);
  return undefined;
}

/** Of the peer's certificate on a TLS socket; undefined without TLS. */
export function peerBinding(socket: Socket): Uint8Array | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : endPointBinding(certificate);
}

function digest(hash: string, certificate: X509Certificate): Uint8Array {
  return createHash(hash).update(certificate.raw).digest();
}
