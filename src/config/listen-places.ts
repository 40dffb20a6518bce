/**
 * Listeners of two sections at one address. The system refuses the second one at start, and says only that another process has
 * the port; where several processes share ports (`workers`) it takes both, and gives clients of the one to the other.
 */
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigFile } from './schema.ts';

type Listener = { readonly path: ConfigPath; readonly host: string; readonly port: number };

const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function listenPlaceFindings(file: ConfigFile): readonly Finding[] {
  const listeners = listenersOf(file);
  return listeners.flatMap((listener, index) => {
    const other = listeners.slice(0, index).find((before) => meet(before, listener));
    if (other === undefined) return [];
    const message = `port ${listener.port} is taken by another section of this file`;
    return [
      { code: 'ERR_CONFIG_CONTRADICTION', path: listener.path, other: other.path, at: 'value', message } as const,
    ];
  });
}

function listenersOf({ s3, kms, postgres, observe }: ConfigFile): readonly Listener[] {
  const sections = { s3: s3?.listen, kms: kms?.listen, postgres: tcpOf(postgres?.listen), observe: observe.listen };
  return Object.entries(sections).flatMap(([section, listen]) =>
    // 0 takes a free port for each.
    listen === undefined || listen.port === 0
      ? []
      : [{ path: [section, 'listen', 'port'], host: listen.host ?? LOOPBACK, port: listen.port }],
  );
}

/** With a Unix socket and no host there is no TCP. */
function tcpOf(
  listen: NonNullable<ConfigFile['postgres']>['listen'] | undefined,
): { readonly host?: string | undefined; readonly port: number } | undefined {
  return listen?.socket !== undefined && listen.host === undefined ? undefined : listen;
}

function meet(a: Listener, b: Listener): boolean {
  const sameHost = a.host === b.host || EVERY_ADDRESS.has(a.host) || EVERY_ADDRESS.has(b.host);
  return sameHost && a.port === b.port;
}
