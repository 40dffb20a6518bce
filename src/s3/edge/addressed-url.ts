/** What a request was sent to, as its client named it: for answers that say where something is. */
import type { IncomingMessage } from 'node:http';
import { splitTarget } from '../request/target.ts';

/** Scheme, host and path. A proxy in front is not believed about the scheme. */
export function addressedUrl({ headers, socket, url }: IncomingMessage): string {
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  return `${scheme}://${headers.host ?? ''}${splitTarget(url ?? '/', headers.host ?? '').path}`;
}
