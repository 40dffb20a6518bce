/** From the config's `kms` section to the listener's options. */
import type { KmsConfig } from '../../config/config.ts';
import type { ListenTlsConfig } from '../../config/listen-tls.ts';
import type { KmsAccessKey } from '../../kms/auth/authenticate.ts';
import type { CertificateCaller } from '../../kms/auth/client-certificate.ts';
import type { KmsTls } from '../../kms/server.ts';

export function kmsTls({ certificate, privateKey, clients }: ListenTlsConfig): KmsTls {
  return { certificate, privateKey: privateKey.reveal(), ...(clients === undefined ? {} : { clients }) };
}

export function kmsAccessKeys({ clients }: KmsConfig): readonly KmsAccessKey[] {
  return clients.flatMap((client) =>
    client.type === 'access-key'
      ? [
          {
            accessKeyId: client.accessKeyId,
            secretAccessKey: client.secretAccessKey.reveal(),
            principal: client.principal,
          },
        ]
      : [],
  );
}

export function kmsCertificates({ clients }: KmsConfig): readonly CertificateCaller[] {
  return clients.flatMap((client): CertificateCaller[] => {
    const { principal } = client;
    if (client.type === 'subject') return [{ type: 'subject', subject: client.subject, principal }];
    return client.type === 'name' ? [{ type: 'name', name: client.certificateName, principal }] : [];
  });
}
