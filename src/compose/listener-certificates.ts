/** The certificates that a listener serves with, and checks its clients' with, as they are renewed. */
import { readListenTlsAgain, type ListenTlsConfig } from '../config/listen-tls.ts';
import type { Renewal, RenewalLog } from './certificate-renewal.ts';

export function ofListener(
  listener: string,
  tls: ListenTlsConfig,
  log: RenewalLog,
  take: (tls: ListenTlsConfig) => void,
): Renewal<ListenTlsConfig> {
  const { certFile, keyFile, clientCaFile, clientCrlFile } = tls.files;
  return {
    names: { listener },
    tls,
    files: [certFile, keyFile, clientCaFile, clientCrlFile],
    read: (readFile) => readListenTlsAgain(tls.files, readFile),
    take,
    contents: ({ certificate, privateKey, clients }) => [certificate, privateKey.reveal(), clients?.ca, clients?.crl],
    certificate: ({ certificate }) => certificate,
    log,
  };
}
