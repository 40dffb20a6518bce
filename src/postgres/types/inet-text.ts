/**
 * Network addresses as text: inet_net_pton.c and inet_cidr_ntop.c of the server. Of inet an IPv4 address may leave out octets that the
 * prefix length does not reach; of cidr it may leave out any, and then the class decides the prefix.
 */
import { invalidSyntax } from './errors.ts';

/** 4 or 16 bytes, and the prefix length. */
export type InetAddress = { readonly bytes: Uint8Array; readonly bits: number };

export function parseInet(text: string, typeName: string): InetAddress {
  const value = text.includes(':') ? parseIpv6(text) : typeName === 'cidr' ? parseCidrIpv4(text) : parseInetIpv4(text);
  if (value === undefined) throw invalidSyntax(typeName);
  return value;
}

const IPV4 = /^(\d{1,10}(?:\.\d{1,10}){0,3})(\.?)(?:\/(\d{1,10}))?$/;

function octetsOf(text: string): readonly number[] | undefined {
  const octets = text.split('.').map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

function filled(octets: readonly number[], bits: number): InetAddress {
  const bytes = new Uint8Array(4);
  bytes.set(octets);
  return { bytes, bits };
}

/** inet_net_pton_ipv4 */
function parseInetIpv4(text: string): InetAddress | undefined {
  const [, address = '', dot, prefix] = IPV4.exec(text) ?? [];
  const octets = address === '' || dot !== '' ? undefined : octetsOf(address);
  if (octets === undefined) return undefined;
  const bits = prefix === undefined ? (octets.length === 4 ? 32 : undefined) : Number(prefix);
  if (bits === undefined || bits > 32 || Math.ceil(bits / 8) > octets.length) return undefined;
  return filled(octets, bits);
}

/** inet_cidr_pton_ipv4, without its hexadecimal form. */
function parseCidrIpv4(text: string): InetAddress | undefined {
  const [, address = '', dot, prefix] = IPV4.exec(text) ?? [];
  const octets = address === '' || dot !== '' ? undefined : octetsOf(address);
  if (octets === undefined) return undefined;
  const bits = prefix === undefined ? classBits(octets) : Number(prefix);
  if (bits > 32) return undefined;
  return filled(octets, bits);
}

/** Without a prefix length: as many octets as are written, or as the address's class has. */
function classBits(octets: readonly number[]): number {
  const [first = 0] = octets;
  const ofClass = first >= 240 ? 32 : first >= 224 ? 8 : first >= 192 ? 24 : first >= 128 ? 16 : 8;
  const bits = Math.max(ofClass, octets.length * 8);
  // A multicast address alone is all of them.
  return bits === 8 && first === 224 ? 4 : bits;
}

const PREFIX = /^([^/]*)(?:\/(\d{1,3}))?$/;

function parseIpv6(text: string): InetAddress | undefined {
  const [, address = '', prefix] = PREFIX.exec(text) ?? [];
  const bits = prefix === undefined ? 128 : Number(prefix);
  const words = address === '' || (prefix !== undefined && /^0\d/.test(prefix)) ? undefined : ipv6Words(address);
  if (words === undefined || bits > 128) return undefined;
  return { bytes: Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff])), bits };
}

function ipv6Words(address: string): readonly number[] | undefined {
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => wordsOf(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const missing = 8 - head.length - (tail ?? []).length;
  return missing < 1 ? undefined : [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
}

/** `last`: an IPv4 address may end it. */
function wordsOf(text: string, last: boolean): readonly number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const words: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      // What is left out is zero, but for the last octet (getv4 in inet_net_pton.c).
      const octets = /^(?:(?:0|[1-9]\d{0,2})?\.){1,3}(?:0|[1-9]\d{0,2})$/.test(part) ? octetsOf(part) : undefined;
      if (octets === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = octets;
      words.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) words.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return words;
}

/** inet leaves a whole address's prefix length out, cidr never does. */
export function printInet({ bytes, bits }: InetAddress, typeName: string): string {
  const address = bytes.length === 4 ? bytes.join('.') : printIpv6(bytes);
  return typeName === 'cidr' || bits !== 8 * bytes.length ? `${address}/${bits}` : address;
}

/** The longest run of two or more zero words is left out; addresses that hold one of IPv4 end in that. */
function printIpv6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  const run = longestRun(words);
  const holdsIpv4 = run.start === 0 && (run.length === 6 || (run.length === 5 && words[5] === 0xffff));
  const texts = words.map((word) => word.toString(16));
  const shown = holdsIpv4 ? [...texts.slice(0, 6), bytes.subarray(12).join('.')] : texts;
  if (run.length < 2) return shown.join(':');
  return `${shown.slice(0, run.start).join(':')}::${shown.slice(run.start + run.length).join(':')}`;
}

function longestRun(words: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: -1, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
