/**
 * The certificates with which Sealgate checks those it connects to, and which it shows them, as they are renewed. In each process that connects:
 * the owner of the keys to receivers of the audit trail and to a key manager elsewhere, whoever serves data to what is behind.
 */
import { createSecureContext } from 'node:tls';
import { peerTls, type TlsNow } from '../cli/options/peer-tls.ts';
import { readPeerTlsAgain, type PeerTlsConfig } from '../config/peer-tls.ts';
import type { PeerTls } from '../http/peer-agent.ts';
import { renewing, type Renewal, type RenewalLog } from './certificate-renewal.ts';
import type { Part } from './lifecycle.ts';

type Peer = { now: PeerTls };

export class PeerCertificates {
  readonly #log: RenewalLog;
  /** A section that others take over from is looked at once. */
  readonly #peers = new Map<PeerTlsConfig, Peer>();
  readonly #stops: (() => void)[] = [];

  constructor(log: RenewalLog) {
    this.#log = log;
  }

  readonly now: TlsNow = (tls) => {
    const peer = this.#peers.get(tls) ?? this.#watch(tls);
    return () => peer.now;
  };

  get part(): Part {
    return {
      name: 'certificates of peers',
      stop: async () => {
        for (const stop of this.#stops.splice(0)) stop();
      },
    };
  }

  #watch(tls: PeerTlsConfig): Peer {
    const peer = { now: peerTls(tls) };
    this.#peers.set(tls, peer);
    const isRead = Object.values(tls.files).some((file) => file !== undefined);
    if (isRead) this.#stops.push(renewing(ofPeer(tls, this.#log, (now) => (peer.now = now))));
    return peer;
  }
}

export function ofPeer(tls: PeerTlsConfig, log: RenewalLog, take: (now: PeerTls) => void): Renewal<PeerTlsConfig> {
  const { caFile, crlFile, certFile, keyFile } = tls.files;
  return {
    names: { peer: tls.place },
    tls,
    files: [caFile, crlFile, certFile, keyFile],
    read: (readFile) => readPeerTlsAgain(tls, readFile),
    take: (renewed) => {
      const now = peerTls(renewed);
      // Each file can be used by itself; whether all can be used together, OpenSSL says.
      createSecureContext(now);
      take(now);
    },
    contents: ({ ca, crl, client }) => [ca, crl, client?.certificate, client?.privateKey.reveal()],
    certificate: ({ client }) => client?.certificate,
    log,
  };
}
