/** macaddr (6 bytes) and macaddr8 (8 bytes). Text: macaddr_in in mac.c, macaddr8_in in mac8.c. */
import { decodeText, encodeText, trimSpace } from './bytes.ts';
import type { TypeCodec } from './codec.ts';
import { checkBinaryLength, damaged, invalidSyntax, macOctet, unsupported, type ValueError } from './errors.ts';

const SHORT = 6;
const LONG = 8;
/** What stands between the first and the last three bytes of a macaddr that becomes a macaddr8. */
const FILLER = [0xff, 0xfe] as const;

const OCTET = '([0-9a-fA-F]+)';
const PAIR = '([0-9a-fA-F]{2})';
const LAST = '([0-9a-fA-F]{1,2})';
const FORMS = [
  new RegExp(`^${Array.from({ length: SHORT }, () => OCTET).join(':')}$`),
  new RegExp(`^${Array.from({ length: SHORT }, () => OCTET).join('-')}$`),
  new RegExp(`^${PAIR}${PAIR}${PAIR}[:-]${PAIR}${PAIR}${LAST}$`),
  new RegExp(`^${PAIR}${PAIR}\\.${PAIR}${PAIR}\\.${PAIR}${LAST}$`),
  new RegExp(`^${PAIR}${PAIR}-${PAIR}${PAIR}-${PAIR}${LAST}$`),
  new RegExp(`^${PAIR}${PAIR}${PAIR}${PAIR}${PAIR}${LAST}$`),
];

export const macaddrCodec: TypeCodec = {
  fromText: (text) => readShort(trimSpace(decodeText(text))),
  fromBinary: (bytes) => {
    checkBinaryLength(bytes, SHORT, 'macaddr');
    return bytes;
  },
  toText: (canonical) => encodeText(print(checked(canonical, SHORT))),
  toBinary: (canonical) => checked(canonical, SHORT),
};

export const macaddr8Codec: TypeCodec = {
  fromText: (text) => readLong(trimSpace(decodeText(text))),
  fromBinary: (bytes) => {
    if (bytes.length === SHORT) return widened(bytes);
    checkBinaryLength(bytes, LONG, 'macaddr8');
    return bytes;
  },
  toText: (canonical) => encodeText(print(checked(canonical, LONG))),
  toBinary: (canonical) => checked(canonical, LONG),
};

function readShort(text: string): Uint8Array {
  for (const form of FORMS) {
    const match = form.exec(text);
    if (match === null) continue;
    const octets = match.slice(1).map((octet) => Number.parseInt(octet, 16));
    if (octets.some((octet) => octet > 255)) throw macOctet();
    return Uint8Array.from(octets);
  }
  throw notRead(text);
}

/** sscanf takes a blank, a sign or `0x` before digits, and one digit for two: then it is in step with no separator any more. */
const READ_ON = /^[0-9a-f][0-9a-fx:.+\s-]*$/i;
const IN_STEP = /^(?:[0-9a-f]{1,2}[:.-])*[0-9a-f]{1,2}$/i;

function notRead(text: string): ValueError {
  if (!READ_ON.test(text) || IN_STEP.test(text)) return invalidSyntax('macaddr');
  return oddForm('macaddr');
}

function oddForm(typeName: string): ValueError {
  return unsupported(
    `this way of writing a ${typeName} is not supported for a sealed column`,
    'Write it as 08:00:2b:01:02:03.',
  );
}

/** Behind as many bytes as make an address the server does not look at everything. */
function readsOn(pairs: readonly string[]): boolean {
  return pairs.length === SHORT || pairs.length === LONG;
}

/** Pairs of digits with one and the same sign between any of them. */
function readLong(text: string): Uint8Array {
  const [separator] = /[:.-]/.exec(text) ?? [];
  const pairs: string[] = [];
  for (let at = 0; at < text.length;) {
    const pair = /^[0-9a-fA-F]{2}/.exec(text.slice(at, at + 2))?.[0];
    if (pair === undefined && readsOn(pairs)) throw oddForm('macaddr8');
    if (pair === undefined || pairs.length === LONG) throw invalidSyntax('macaddr8');
    pairs.push(pair);
    at += 2;
    if (separator !== undefined && text[at] === separator && at + 1 < text.length) at++;
  }
  if (pairs.length !== SHORT && pairs.length !== LONG) throw invalidSyntax('macaddr8');
  const bytes = Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
  return bytes.length === SHORT ? widened(bytes) : bytes;
}

export function widened(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, 3), ...FILLER, ...bytes.subarray(3));
}

function checked(canonical: Uint8Array, length: number): Uint8Array {
  if (canonical.length !== length) throw damaged('macaddr');
  return canonical;
}

function print(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
