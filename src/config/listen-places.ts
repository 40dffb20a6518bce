/**
 * Listeners of two sections at one address. The system refuses the second one at start, and says only that another process has
 * the port; where several processes share ports (`workers`) it takes both, and gives clients of the one to the other.
 * Only what is certain from the file contradicts, but that `localhost` is taken for 127.0.0.1: which address another host name has is the
 * system's affair.
 */
import { isIP, isIPv4, SocketAddress } from 'node:net';
import type { ConfigPath, Finding } from './problem.ts';
import type { ConfigFile } from './schema.ts';

type Listener = { readonly path: ConfigPath; readonly host: string; readonly port: number };

const LOOPBACK = '127.0.0.1';
const EVERY_IPV4 = '0.0.0.0';
/** Node listens for IPv4 too there. */
const EVERY_ADDRESS = '::';
const IPV4_IN_IPV6 = '::ffff:';

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
  if (a.port !== b.port) return false;
  const [one, other] = [placeOf(a.host), placeOf(b.host)];
  return one === other || covers(one, other) || covers(other, one);
}

function covers(every: string, one: string): boolean {
  return every === EVERY_ADDRESS || (every === EVERY_IPV4 && isIPv4(one));
}

/** One spelling for one address; a name stays one. */
function placeOf(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase() === 'localhost' ? LOOPBACK : host.toLowerCase();
  // The scope of a link-local address belongs to it and is no part of what is parsed.
  const [address = host, ...scope] = host.split('%');
  const parsed = new SocketAddress({ address, family: 'ipv6' }).address;
  const inIpv6 = parsed.startsWith(IPV4_IN_IPV6) ? parsed.slice(IPV4_IN_IPV6.length) : '';
  return isIPv4(inIpv6) ? inIpv6 : [parsed, ...scope].join('%');
}
