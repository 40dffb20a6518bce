import { expect, test } from 'vitest';
import { decidingValues } from './decision-cache.ts';
import { conditionKey } from './policy/condition-key.ts';
import { principalOf } from './principal.ts';
import type { AccessRequest, RequestFacts } from './request.ts';

const request = (encryptionContext: Readonly<Record<string, string>>, facts: RequestFacts = {}): AccessRequest => ({
  principal: principalOf('arn:aws:iam::000000000000:user/bo'),
  action: 'Decrypt',
  resource: { type: 'none', account: '000000000000' },
  encryptionContext,
  facts,
  viaService: undefined,
  region: 'us-east-1',
  time: 0,
});

test('Values that a decision hangs on have one text only where they are the same', () => {
  const [table, tagKeys] = [conditionKey('kms:EncryptionContext:table'), conditionKey('aws:TagKeys')];
  const texts = [
    // Written as what none and ambiguous are written as, and as a list is.
    ...['', '0', '1', '[0]', '[1]', '[["a"]]', 'a', '=a'].map((text) =>
      decidingValues(request({ table: text }), [table], false),
    ),
    decidingValues(request({}), [table], false),
    decidingValues(request({ table: 'a', Table: 'b' }), [table], false),
    decidingValues(request({}, { tagKeys: ['a'] }), [tagKeys], false),
    decidingValues(request({ table: 'a' }), [table], true),
    decidingValues(request({ table: 'a', more: 'b' }), [table], true),
  ];
  expect(new Set(texts).size).toBe(texts.length);
  expect(decidingValues(request({ more: 'x', table: 'a' }), [table], false)).toBe(
    decidingValues(request({ table: 'a' }), [table], false),
  );
});
