/** What every ORM here writes and finds again. */
import assert from 'node:assert/strict';

export const ANN = {
  name: 'Ann',
  email: 'ann@club.example',
  code: -7,
  credit: '1234567890.05',
  born: '1984-02-29',
  seen: new Date('2026-02-03T04:05:06.789Z'),
  ref: '7d444840-9dc0-11d1-b245-5ffdce74fad2',
  active: true,
  note: 'likes tea & scones',
};
export const BOB = { name: 'Bob', email: 'bob@club.example', code: 8, active: false };
/** Deterministic columns. */
export const FOUND_BY = ['email', 'code', 'credit', 'born', 'seen', 'ref'];
export const MANY = Array.from({ length: 50 }, (_, n) => ({
  name: `n${n}`,
  email: `${n}@club.example`,
  code: 100 + n,
}));

/** A refusal, or an error of the server's, that holds nothing of the values. */
export const refused = (promise, code = '0A000') =>
  assert.rejects(promise, (error) => {
    const cause = error.original ?? error.driverError ?? error;
    assert.equal(cause.code, code, error.message);
    assert.ok(!`${cause.message}${cause.detail}`.includes('@club.example'), cause.message);
    return true;
  });

/** As the applications hold it: a row of members without its id, times and numbers as the drivers give them. */
export const same = (row, expected) => {
  for (const [key, value] of Object.entries(expected)) assert.deepEqual(row[key], value, key);
};
