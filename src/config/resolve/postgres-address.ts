/** What a connection string says about a server and who connects to it, as far as the config uses it. */
import type { PostgresOrder, PostgresServerAddress, PostgresTarget, PostgresTlsConfig } from '../config.ts';
import { parseConninfo, type Conninfo, type ConninfoProblem } from './postgres-conninfo.ts';

export type PostgresAddress = {
  readonly servers: readonly PostgresServerAddress[];
  /** Whether a host or a port stands in it. */
  readonly namesHost: boolean;
  readonly namesPort: boolean;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly sslmode: PostgresTlsConfig['mode'] | undefined;
  readonly direct: boolean;
  /** Paths: of the authorities to trust (`system`: those of the machine), and of the proxy's own certificate. */
  readonly rootCert: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly target: PostgresTarget | undefined;
  readonly order: PostgresOrder | undefined;
  readonly connectTimeoutSeconds: number | undefined;
};

export const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export const TARGETS = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const;
const DEFAULT_PORT = 5432;

/** Of libpq's keywords those that mean something here. */
const KNOWN = [
  ...['host', 'hostaddr', 'port', 'user', 'password', 'dbname', 'connect_timeout'],
  ...['sslmode', 'sslnegotiation', 'sslrootcert', 'sslcert', 'sslkey', 'target_session_attrs', 'load_balance_hosts'],
  'gssencmode',
];

export function parsePostgresAddress(text: string): PostgresAddress | ConninfoProblem {
  const found = parseConninfo(text);
  if ('problem' in found) return found;
  const unknown = [...found.keys()].find((name) => !KNOWN.includes(name));
  if (unknown !== undefined)
    return { problem: `option \`${unknown}\` means nothing here; what may stand in it: ${KNOWN.join(', ')}` };
  try {
    return addressOf(found);
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message };
    throw error;
  }
}

class Wrong extends Error {}

function addressOf(found: Conninfo): PostgresAddress {
  const given = (name: string): string | undefined => {
    const value = found.get(name);
    return value === '' ? undefined : value;
  };
  // The proxy has no Kerberos ticket to encrypt with.
  oneOf(found, 'gssencmode', ['disable', 'prefer']);
  const rootCert = given('sslrootcert');
  const sslmode = oneOf(found, 'sslmode', MODES) ?? (rootCert === 'system' ? 'verify-full' : undefined);
  if (rootCert === 'system' && sslmode !== 'verify-full')
    throw new Wrong(
      '`sslrootcert=system` needs `sslmode=verify-full`: anybody may have a certificate of a public authority',
    );
  const direct = oneOf(found, 'sslnegotiation', ['postgres', 'direct']) === 'direct';
  if (direct && (sslmode === undefined || !['require', 'verify-ca', 'verify-full'].includes(sslmode)))
    throw new Wrong('`sslnegotiation=direct` needs `sslmode` require, verify-ca or verify-full');
  const [cert, key] = [given('sslcert'), given('sslkey')];
  if ((cert === undefined) !== (key === undefined)) throw new Wrong('`sslcert` and `sslkey` belong together');
  const balance = oneOf(found, 'load_balance_hosts', ['disable', 'random']);
  return {
    servers: serversOf(given('host'), given('hostaddr'), given('port')),
    namesHost: given('host') !== undefined || given('hostaddr') !== undefined,
    namesPort: given('port') !== undefined,
    user: given('user'),
    password: given('password'),
    database: given('dbname'),
    sslmode,
    direct,
    rootCert,
    cert,
    key,
    target: oneOf(found, 'target_session_attrs', TARGETS),
    order: balance === undefined ? undefined : balance === 'random' ? 'random' : 'listed',
    connectTimeoutSeconds: seconds(given('connect_timeout')),
  };
}

function oneOf<Word extends string>(found: Conninfo, name: string, words: readonly Word[]): Word | undefined {
  const value = found.get(name);
  if (value === undefined || value === '') return undefined;
  const word = words.find((one) => one === value);
  if (word === undefined) throw new Wrong(`\`${name}\`: expected one of ${words.join(', ')}`);
  return word;
}

/** As with libpq 0 and less mean without limit, and 1 means 2. */
function seconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d{1,9}$/u.test(text)) throw new Wrong('`connect_timeout`: expected seconds');
  const value = Number(text);
  return value <= 0 ? undefined : Math.max(value, 2);
}

function serversOf(
  host: string | undefined,
  hostaddr: string | undefined,
  port: string | undefined,
): readonly PostgresServerAddress[] {
  const hosts = host?.split(',') ?? [];
  const addresses = hostaddr?.split(',') ?? [];
  const ports = port?.split(',') ?? [];
  const count = Math.max(hosts.length, addresses.length, 1);
  if (hosts.length > 0 && addresses.length > 0 && hosts.length !== addresses.length)
    throw new Wrong('as many `hostaddr` as `host` are needed');
  if (ports.length > 1 && ports.length !== count) throw new Wrong('one port is needed, or one for each host');
  return Array.from({ length: count }, (_, index) => {
    const address = addresses[index] === '' ? undefined : addresses[index];
    const named = hosts[index] === '' ? undefined : hosts[index];
    return { host: named ?? address ?? 'localhost', address, port: portOf(ports.length > 1 ? ports[index] : ports[0]) };
  });
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/u.test(text) || port < 1 || port > 65_535) throw new Wrong('a port that is none: expected 1 to 65535');
  return port;
}
