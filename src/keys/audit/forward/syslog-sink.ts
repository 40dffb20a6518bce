/**
 * A syslog receiver, over TLS (RFC 5425), TCP (RFC 6587, octet counting) or UDP (RFC 5426).
 *
 * Syslog has no acknowledgement: a message counts once the operating system has taken it. Over TCP and TLS a connection that
 * breaks loses what was under way, so the batch written last is sent again over the next one.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { AuditLine, AuditSink, ReceiverTls } from './sink.ts';
import { MAX_UDP_BYTES, syslogMessage } from './syslog-message.ts';

export type SyslogSinkOptions = {
  readonly host: string;
  readonly port: number;
  readonly transport: 'tls' | 'tcp' | 'udp';
  /** Asked for every batch; the well-known authorities unless told. */
  readonly tls?: (() => ReceiverTls) | undefined;
};

const CONNECT_TIMEOUT_MS = 10_000;

export function syslogSink(options: SyslogSinkOptions): AuditSink {
  return options.transport === 'udp' ? udpSink(options) : new StreamSink(options);
}

class StreamSink implements AuditSink {
  readonly #options: SyslogSinkOptions;
  #socket: Socket | undefined;
  /** What the connection was made with. */
  #trusted: ReceiverTls | undefined;
  /** Written last, and perhaps lost with its connection. */
  #last: readonly AuditLine[] = [];

  constructor(options: SyslogSinkOptions) {
    this.#options = options;
  }

  async send(lines: readonly AuditLine[], signal: AbortSignal): Promise<void> {
    // Who vouched for the receiver may vouch no more: what comes now goes over a connection of now.
    if (this.#trusted !== this.#options.tls?.()) this.#leave();
    const isFresh = this.#socket === undefined;
    const socket = (this.#socket ??= await this.#connect(signal));
    await write(socket, (isFresh ? [...this.#last, ...lines] : lines).map(framed));
    // Closed by the receiver in the meantime: it has not read this.
    if (this.#socket === undefined) throw new Error('the receiver closed the connection');
    this.#last = lines;
  }

  /** What is under way is sent again. */
  #leave(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined || socket.destroyed) return;
    const closed = once(socket, 'close');
    socket.destroySoon();
    await closed;
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, transport, tls } = this.#options;
    const isTls = transport === 'tls';
    this.#trusted = tls?.();
    const ca = this.#trusted?.ca;
    const socket = isTls
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...(ca !== undefined && { ca }) })
      : connectTcp({ host, port });
    const abort = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
    try {
      await once(socket, isTls ? 'secureConnect' : 'connect', { signal: abort });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    // Receivers send nothing; reading is how their end is noticed.
    socket.on('end', () => socket.destroy());
    socket.resume();
    return socket;
  }
}

/** `length SP message` */
function framed(line: AuditLine): Uint8Array {
  const message = syslogMessage(line, hostname());
  return Buffer.concat([Buffer.from(`${message.length} `, 'latin1'), message]);
}

function write(socket: Socket, frames: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(Buffer.concat(frames), (error) => (error ? reject(error) : resolve()));
  });
}

function udpSink({ host, port }: SyslogSinkOptions): AuditSink {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => undefined);
  return {
    async send(lines) {
      for (const line of lines) await sendDatagram(line);
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };

  function sendDatagram(line: AuditLine): Promise<void> {
    // A record longer than a datagram is cut; the whole of it is in the log.
    const message = syslogMessage(line, hostname()).subarray(0, MAX_UDP_BYTES);
    return new Promise((resolve, reject) => {
      socket.send(message, port, host, (error) => (error ? reject(error) : resolve()));
    });
  }
}
