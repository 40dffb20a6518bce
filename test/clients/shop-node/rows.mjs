/** What the shop's applications write. */
export const ANN = {
  name: 'Ann Archer',
  email: 'ann@shop.example',
  phone: '+43 1 5550101',
  birth: '1984-02-29',
  externalId: '7d444840-9dc0-11d1-b245-5ffdce74fad2',
  credit: '1250.50',
  lastSeen: '2026-02-03T04:05:06.789Z',
  loyalty: 41,
  notes: 'prefers parcels left with the neighbour',
  preferences: { newsletter: true, channels: ['post', 'phone'], language: 'de-AT' },
  nicknames: ['Annie "the" first', 'Archer,Ann'],
  vip: true,
};
export const BOB = { name: 'Bob Baker', email: 'bob@shop.example', phone: '+43 1 5550102', loyalty: 7 };
export const MORE = ['carol', 'dave', 'erin', 'frank'].map((name, at) => ({
  name,
  email: `${name}@shop.example`,
  loyalty: 100 + at,
  notes: `${name} came by recommendation`,
}));
export const PRODUCTS = [
  { sku: 'TEA-1', title: 'Green tea', price: '4.90', tags: ['tea', 'hot'], attributes: { weight: 100, organic: true } },
  { sku: 'MUG-1', title: 'Mug', price: '9.00', tags: ['kitchen'], attributes: { color: 'blue' } },
  { sku: 'POT-1', title: 'Pot', price: '29.00', tags: ['kitchen', 'hot'], attributes: null },
];
export const ADDRESS = { street: 'Mariahilfer Straße 1', city: 'Wien', zip: '1060' };
export const NUMBER = '2026-000017';
export const COMMENT = 'ring twice, the dog is harmless';
export const GIFT = 'happy birthday, dear Carol';

/** The error is what the application expects, or nothing at all: where it is not to happen is for whoever captured it to see. */
export async function failing(promise) {
  try {
    await promise;
  } catch {
    return;
  }
  throw new Error('did not fail');
}
