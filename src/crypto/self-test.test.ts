import { expect, test } from 'vitest';
import { runSelfTests, SELF_TESTS } from './self-test.ts';
import type { SelfTest } from './self-test-case.ts';

const failing = (name: string): unknown =>
  expect.objectContaining({ code: 'ERR_CRYPTO_SELF_TEST', message: expect.stringContaining(name) });

test('every primitive gives its known answer', () => {
  expect(() => runSelfTests()).not.toThrow();
});

test.each(SELF_TESTS)('a $name that computes wrong refuses all', (right) => {
  const wrong: readonly SelfTest[] = [
    { ...right, answer: right.answer.replace(/^./u, (digit) => (digit === '0' ? '1' : '0')) },
    { ...right, run: () => right.run().subarray(1) },
    {
      ...right,
      run: () => {
        throw new Error('unsupported');
      },
    },
  ];
  for (const each of wrong) {
    const tests = SELF_TESTS.map((one) => (one === right ? each : one));
    expect(() => runSelfTests(tests)).toThrow(failing(right.name));
  }
});
