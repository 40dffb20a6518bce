/**
 * The client's side of startup: SSLRequest, GSSENCRequest, direct TLS, CancelRequest, StartupMessage.
 *
 * Threat: bytes sent in clear before the handshake must never be taken for bytes of the TLS session (class of CVE-2021-23222).
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { PostgresError } from '../errors.ts';
import { decodeStartup, startupLength, type StartupPacket } from '../messages/startup.ts';
import { protocolError } from '../wire/protocol-error.ts';
import { ClientLeft } from './closed.ts';
import { SocketReader } from '../wire/socket-reader.ts';

export type ClientTls = {
  readonly context: SecureContext;
  /** Of its certificate: what SCRAM-SHA-256-PLUS binds to. */
  readonly endPointBinding: Uint8Array | undefined;
  readonly required: boolean;
  /** Whether client certificates are asked for. One that is shown has to be good in either case. */
  readonly clientCertificates: 'none' | 'optional' | 'required';
};

export type ClientStartup = {
  readonly socket: Socket;
  readonly reader: SocketReader;
  readonly encrypted: boolean;
  /** Of the certificate that it was shown; undefined without TLS. */
  readonly endPointBinding: Uint8Array | undefined;
  /** The client's own, verified. */
  readonly certificate: X509Certificate | undefined;
  /** As it came, to be relayed. */
  readonly packet: Uint8Array;
  readonly request: Extract<StartupPacket, { readonly type: 'cancel' | 'startup' }>;
};

/** The connection as negotiated so far; errors are answered on its present socket. */
export type Negotiation = {
  socket: Socket;
  encrypted: boolean;
  endPointBinding: Uint8Array | undefined;
  certificate: X509Certificate | undefined;
  asked: Set<'ssl' | 'gssenc'>;
};

/** What TLS is served with at the moment; undefined: none is. */
export type ServedTls = () => ClientTls | undefined;

const TLS_HANDSHAKE = 0x16;
const YES = Buffer.from('S');
const NO = Buffer.from('N');
const ALPN = 'postgresql';

/** Reads packets until one opens a session or asks for a cancel. `negotiation.socket` is kept up to date. */
export async function readStartup(negotiation: Negotiation, served: ServedTls): Promise<ClientStartup> {
  let reader = new SocketReader(negotiation.socket, clientLeft);
  const first = await reader.peek(1);
  if (first[0] === TLS_HANDSHAKE) reader = await directTls(negotiation, reader, served);
  for (;;) {
    const packet = await readPacket(reader);
    const request = decodeStartup(packet);
    switch (request.type) {
      case 'ssl':
        reader = await answerSsl(negotiation, reader, served);
        break;
      case 'gssenc':
        once(negotiation, 'gssenc');
        negotiation.socket.write(NO);
        break;
      case 'cancel':
      case 'startup':
        if (served()?.required === true && !negotiation.encrypted && request.type === 'startup') throw tlsRequired();
        return { ...pick(negotiation), reader, packet, request };
    }
  }
}

function pick({ socket, encrypted, endPointBinding, certificate }: Negotiation): Omit<Negotiation, 'asked'> {
  return { socket, encrypted, endPointBinding, certificate };
}

async function readPacket(reader: SocketReader): Promise<Uint8Array> {
  const length = startupLength(await reader.peek(4));
  if (length === undefined) throw protocolError('startup packet without length');
  return reader.take(length);
}

/** Each request at most once, and none inside TLS: the server holds it so too. */
function once(negotiation: Negotiation, request: 'ssl' | 'gssenc'): void {
  if (negotiation.encrypted || negotiation.asked.has(request)) throw protocolError('encryption was asked for twice');
  negotiation.asked.add(request);
}

async function answerSsl(negotiation: Negotiation, reader: SocketReader, served: ServedTls): Promise<SocketReader> {
  once(negotiation, 'ssl');
  if (served() === undefined) {
    negotiation.socket.write(NO);
    return reader;
  }
  if (reader.bufferedBytes > 0) throw injected();
  reader.release();
  negotiation.socket.write(YES);
  return upgrade(negotiation, served, false);
}

async function directTls(negotiation: Negotiation, reader: SocketReader, served: ServedTls): Promise<SocketReader> {
  if (served() === undefined) {
    throw new PostgresError('ERR_POSTGRES_STARTUP_UNKNOWN', 'direct TLS connection to a port without TLS', {
      sqlstate: '08P01',
    });
  }
  const hello = reader.release();
  negotiation.socket.unshift(hello);
  return upgrade(negotiation, served, true);
}

async function upgrade(negotiation: Negotiation, served: ServedTls, direct: boolean): Promise<SocketReader> {
  const tls = served();
  if (tls === undefined) throw clientLeft();
  const secure = new TLSSocket(negotiation.socket, {
    isServer: true,
    secureContext: tls.context,
    requestCert: tls.clientCertificates !== 'none',
    rejectUnauthorized: tls.clientCertificates === 'required',
    ALPNProtocols: [ALPN],
  });
  await new Promise<void>((resolve, reject) => {
    secure.once('secure', resolve);
    secure.once('error', (error: Error & { code?: string }) =>
      reject(error.code === 'ECONNRESET' ? clientLeft(error) : error),
    );
    secure.once('close', () => reject(clientLeft()));
  });
  // Without a negotiated protocol a direct connection could be another protocol's, confused (ALPACA).
  if (direct && secure.alpnProtocol !== ALPN)
    throw protocolError('direct TLS connection without ALPN protocol "postgresql"');
  negotiation.socket = secure;
  // It was looked at by what has been replaced meanwhile: who was revoked may connect no more.
  if (served() !== tls) throw clientLeft();
  negotiation.encrypted = true;
  negotiation.endPointBinding = tls.endPointBinding;
  negotiation.certificate = verifiedCertificate(secure, tls);
  return new SocketReader(secure, clientLeft);
}

type WithHandle = TLSSocket & { readonly _handle?: { readonly verifyError?: () => Error | null } | null };

/**
 * The certificate that the client showed, if it is good. Node sets `authorized` only on sockets of its own TLS server; what OpenSSL found is
 * asked of the handle, as that server does (lib/internal/tls/wrap.js), and where it cannot be asked the certificate is not taken.
 */
function verifiedCertificate(secure: WithHandle, { clientCertificates }: ClientTls): X509Certificate | undefined {
  if (clientCertificates === 'none') return undefined;
  const certificate = secure.getPeerX509Certificate();
  if (certificate === undefined) {
    if (clientCertificates === 'required') throw certificateRefused('connection requires a valid client certificate');
    return undefined;
  }
  const { _handle: handle } = secure;
  const problem = typeof handle?.verifyError === 'function' ? handle.verifyError() : new Error('cannot be verified');
  if (problem !== null) throw certificateRefused('the client certificate does not verify', problem);
  return certificate;
}

/** Why it does not verify is for the log. */
function certificateRefused(message: string, cause?: unknown): PostgresError {
  return new PostgresError('ERR_POSTGRES_CERTIFICATE', message, { sqlstate: '28000' }, { cause });
}

const clientLeft = (cause?: unknown): ClientLeft => new ClientLeft(cause);

function injected(): PostgresError {
  return new PostgresError('ERR_POSTGRES_TLS_INJECTION', 'received unencrypted data after SSL request', {
    sqlstate: '08P01',
  });
}

function tlsRequired(): PostgresError {
  return new PostgresError('ERR_POSTGRES_TLS_REQUIRED', 'this server takes TLS connections only', {
    sqlstate: '28000',
    hint: 'Connect with sslmode=require.',
  });
}
