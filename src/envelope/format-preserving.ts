/**
 * The format-preserving value: a text of the same length and alphabet as the one it stands for, with its first and last characters kept as
 * they are where the rule says so. docs/FORMAT.md, "Format-preserving value".
 *
 * Threat, stated: it has no tag, no header and no key's name. A changed value opens to another, and the server cannot tell it from plaintext.
 */
import { decryptFf1, encryptFf1, FF1_LEAST_VALUES } from '../crypto/ff1.ts';
import { hkdfSha256 } from '../crypto/hkdf.ts';
import { KEY_BYTES, takeKey, type Dek } from '../crypto/key-types.ts';

const DIGITS = '0123456789';
const SMALL = 'abcdefghijklmnopqrstuvwxyz';

/** In the order of their numerals. */
export const ALPHABETS = {
  digits: DIGITS,
  'digits-and-small-letters': DIGITS + SMALL,
  'digits-and-capitals': DIGITS + SMALL.toUpperCase(),
  alphanumeric: DIGITS + SMALL.toUpperCase() + SMALL,
} as const;

export type AlphabetName = keyof typeof ALPHABETS;

export type PreservedFormat = {
  readonly alphabet: AlphabetName;
  /** Characters at the beginning and at the end that stay as they are. */
  readonly keepFirst: number;
  readonly keepLast: number;
};

/** FF1 takes time by the square of the length. */
export const MAX_FORMAT_CHARACTERS = 256;

/** The least length of a value, so that what is encrypted of it is one of a million. */
export function leastLength({ alphabet, keepFirst, keepLast }: PreservedFormat): number {
  const radix = ALPHABETS[alphabet].length;
  let characters = 1;
  for (let values = radix; values < FF1_LEAST_VALUES; values *= radix) characters += 1;
  return keepFirst + keepLast + characters;
}

/** Undefined: it fits. Else why not, without a character of it. */
export function misfit(format: PreservedFormat, text: string): string | undefined {
  const least = leastLength(format);
  if (text.length < least) return `it has fewer than ${least} characters`;
  if (text.length > MAX_FORMAT_CHARACTERS) return `it has more than ${MAX_FORMAT_CHARACTERS} characters`;
  const alphabet: string = ALPHABETS[format.alphabet];
  for (const character of text)
    if (!alphabet.includes(character)) return `it has characters that are no ${format.alphabet}`;
  return undefined;
}

export type FormatInput = {
  readonly dek: Dek;
  /** The stable random id of the column. */
  readonly aad: Uint8Array;
  readonly format: PreservedFormat;
  readonly text: string;
};

/** Precondition: the text fits (`misfit`). */
export function sealFormat(input: FormatInput): string {
  return changed(input, encryptFf1);
}

/** Precondition: the text fits. */
export function openFormat(input: FormatInput): string {
  return changed(input, decryptFf1);
}

function changed({ dek, aad, format, text }: FormatInput, ff1: typeof encryptFf1): string {
  const alphabet = ALPHABETS[format.alphabet];
  const first = text.slice(0, format.keepFirst);
  const last = text.slice(text.length - format.keepLast);
  const middle = text.slice(format.keepFirst, text.length - format.keepLast);
  const numerals = Array.from(middle, (character) => alphabet.indexOf(character));
  const done = ff1(formatKey(dek), alphabet.length, tweakFor(aad, first, last), numerals);
  return first + done.map((numeral) => alphabet[numeral] ?? '').join('') + last;
}

/** Column, and what is kept: equal middles beside different ends look different. All three are of fixed length under one rule. */
function tweakFor(aad: Uint8Array, first: string, last: string): Uint8Array {
  return Buffer.concat([aad, Buffer.from(first + last, 'latin1')]);
}

const keyByDek = new WeakMap<Dek, Dek>();

function formatKey(dek: Dek): Dek {
  const known = keyByDek.get(dek);
  if (known !== undefined) return known;
  const key = takeKey('Dek', hkdfSha256(dek, new Uint8Array(0), 'sealgate value v1 ff1', KEY_BYTES));
  keyByDek.set(dek, key);
  return key;
}
