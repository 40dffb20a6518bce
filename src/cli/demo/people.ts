/**
 * Believable data for the demo: the same customers on every run, made from a seed, so that claims can be checked against
 * what was written.
 */

export type Customer = {
  readonly id: number;
  readonly name: string;
  readonly nationalId: string;
  readonly email: string;
  readonly cardNumber: string;
  /** ISO date. */
  readonly birthDate: string;
  readonly notes: string;
};

const FIRST =
  'Ada Amir Beatriz Chen Dana Elif Farid Grace Hana Ines Jonas Kofi Lena Marek Nadia Omar Priya Quinn Rosa Tomas'.split(
    ' ',
  );
const LAST =
  'Almeida Becker Castillo Diallo Eriksen Ferrari Gupta Haddad Ivanova Jensen Kowalski Larsen Mensah Novak Okafor Petrov Rossi Schmidt Tanaka Yilmaz'.split(
    ' ',
  );
const NOTES = [
  'Prefers to be called in the afternoon; asked about a joint account.',
  'Moved house in spring, new address confirmed by letter.',
  'Disputed a card payment; resolved in the customer’s favour.',
  'Pension advice wanted before the end of the year.',
  'Speaks for her father, power of attorney is on file.',
];

/** A small seeded generator (mulberry32): the demo's data needs repeatability, not secrecy. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function digits(random: () => number, count: number): string {
  return Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
}

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new RangeError('pick from an empty list');
  return item;
}

/** The last digit of a card number, after ISO/IEC 7812 (Luhn). */
function luhnDigit(payload: string): string {
  const sum = [...payload].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 0 ? 2 : 1);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return String((10 - (sum % 10)) % 10);
}

function customer(id: number, random: () => number): Customer {
  const first = pick(random, FIRST);
  const last = pick(random, LAST);
  const card = `4539${digits(random, 11)}`;
  const born = new Date(
    Date.UTC(1940 + Math.floor(random() * 65), Math.floor(random() * 12), 1 + Math.floor(random() * 28)),
  );
  return {
    id,
    name: `${first} ${last}`,
    nationalId: `${digits(random, 3)}-${digits(random, 2)}-${digits(random, 3)}${String(id % 10)}`,
    email: `${first}.${last}.${id}@mail.example`.toLowerCase(),
    cardNumber: `${card}${luhnDigit(card)}`,
    birthDate: born.toISOString().slice(0, 10),
    notes: `${pick(random, NOTES)} Reference ${digits(random, 9)}.`,
  };
}

/** `count` customers with ids from 1; equal for equal counts and seeds. */
export function makeCustomers(count: number, seed = 20_260_101): readonly Customer[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, index) => customer(index + 1, random));
}

/** Every value of a customer that must never be seen at rest. A birth date in text form is too common a string to prove anything. */
export function canariesOf(customers: readonly Customer[]): readonly string[] {
  return customers.flatMap(({ nationalId, email, cardNumber, notes }) => [
    nationalId,
    email,
    cardNumber,
    notes.slice(-20),
  ]);
}
