/** Address ranges in CIDR form. An IPv4 address written inside IPv6 (`::ffff:192.0.2.1`) is that IPv4 address. */
import { isIP, isIPv4 } from 'node:net';

export type IpRange = { readonly contains: (address: string) => boolean };

type Address = { readonly bits: 32 | 128; readonly value: bigint };

/** undefined for what is no address or range. */
export function parseIpRange(text: string): IpRange | undefined {
  const [host = '', length, ...more] = text.split('/');
  const written = parseWritten(host);
  if (written === undefined || more.length > 0) return undefined;
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? written.bits : Number(length);
  if (prefix > written.bits) return undefined;
  const inner = isMapped(written) && prefix >= 96;
  const base = inner ? unmapped(written) : written;
  const shift = BigInt(written.bits - prefix);
  return {
    contains: (candidate) => {
      const address = parseAddress(candidate);
      return address?.bits === base.bits && address.value >> shift === base.value >> shift;
    },
  };
}

function parseAddress(text: string): Address | undefined {
  const written = parseWritten(text);
  return written !== undefined && isMapped(written) ? unmapped(written) : written;
}

const isMapped = ({ bits, value }: Address): boolean => bits === 128 && value >> 32n === 0xffffn;
const unmapped = ({ value }: Address): Address => ({ bits: 32, value: value & 0xffffffffn });

function parseWritten(text: string): Address | undefined {
  if (text.length > 45 || text.includes('%') || isIP(text) === 0) return undefined;
  return isIPv4(text) ? { bits: 32, value: ipv4Value(text) } : { bits: 128, value: ipv6Value(text) };
}

function ipv4Value(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv6Value(text: string): bigint {
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) return ipv6Value(`${text.slice(0, lastColon + 1)}0:0`) | ipv4Value(tail);
  const [head = '', rest] = text.split('::');
  const left = groups(head);
  const right = rest === undefined ? [] : groups(rest);
  const zeros = Array<bigint>(8 - left.length - right.length).fill(0n);
  return [...left, ...zeros, ...right].reduce((value, group) => (value << 16n) | group, 0n);
}

function groups(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(':').map((group) => BigInt(`0x${group}`));
}
