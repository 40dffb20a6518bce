/** From what the config says of TLS to another server to what connections are made with. */
import type { PeerTlsConfig } from '../../config/peer-tls.ts';
import type { PeerTls } from '../../http/peer-agent.ts';

/** Whom it asks what the files of a config hold now; the answer is the same object until it is another. */
export type TlsNow = (tls: PeerTlsConfig) => () => PeerTls;

/** As it was when the config was read: for what ends soon. */
export const asRead: TlsNow = (tls) => {
  const read = peerTls(tls);
  return () => read;
};

export function peerTls({ ca, crl, client }: PeerTlsConfig): PeerTls {
  return {
    ...(ca !== undefined && { ca }),
    ...(crl !== undefined && { crl }),
    ...(client !== undefined && { cert: client.certificate, key: client.privateKey.reveal() }),
  };
}
