import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readInput } from './read.ts';
import * as s from './shapes.ts';
import { validate } from './validate.ts';

const NAME = s.patterned(1, 8, '^[a-z:/_-]+$');
const shape = s.struct({
  KeyId: s.required(s.string({ min: 1, max: 10 })),
  NumberOfBytes: s.optional(s.integer(1, 1024)),
  Spec: s.optional(s.oneOf('AES_256', 'AES_128')),
  Plaintext: s.optional(s.blob(1, 4)),
  DryRun: s.optional(s.boolean),
  ValidTo: s.optional(s.timestamp),
  Context: s.optional(s.textMap),
  Tokens: s.optional(s.list(s.string({ min: 1, max: 3 }), { max: 2 })),
  Modifiers: s.optional(s.list(s.oneOf('IGNORE_CIPHERTEXT'))),
  Tags: s.optional(s.list(s.struct({ TagKey: s.required(s.string({ min: 1, max: 4 })), Name: s.optional(NAME) }))),
});

const body = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const parse = (value: unknown): unknown => {
  const read = readInput(body(value), shape);
  validate(read.value, shape);
  return read.value;
};
const failure = (value: unknown): { code?: string; message?: string } => {
  try {
    parse(value);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
};

describe('reading', () => {
  test('Every kind of member is read; null is absent, and a member nobody knows is passed over', () => {
    const value = {
      KeyId: 'k',
      NumberOfBytes: 32,
      Spec: null,
      Plaintext: 'AQI=',
      DryRun: false,
      ValidTo: 1.5,
      Context: { a: 'b' },
      Tokens: ['t'],
      Tags: [{ TagKey: 'x' }],
      Later: { deep: [1, { more: null }] },
    };
    const { Spec: _absent, Later: _unknown, ...known } = value;
    expect(parse(value)).toEqual({ ...known, Plaintext: Buffer.from([1, 2]) });
  });

  test('A context may hold any names, those of objects included, and they are only names', () => {
    const read = readInput(body('{"Context":{"__proto__":"x","constructor":"y"}}'), shape).value['Context'];
    expect(Object.entries(read as object)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  test.each([
    ['{"KeyId":1}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"KeyId":["a"]}', 'Start of list can not be converted to a String'],
    ['{"NumberOfBytes":"32"}', 'STRING_VALUE can not be converted to an Integer'],
    ['{"NumberOfBytes":1.5}', 'NUMBER_VALUE can not be converted to an Integer'],
    ['{"NumberOfBytes":1e30}', 'NUMBER_VALUE can not be converted to an Integer'],
    ['{"DryRun":"true"}', 'STRING_VALUE can not be converted to a Boolean'],
    ['{"DryRun":0}', 'NUMBER_VALUE can not be converted to a Boolean'],
    ['{"ValidTo":true}', 'TRUE_VALUE can not be converted to a Timestamp'],
    ['{"Plaintext":7}', 'NUMBER_VALUE can not be converted to a Blob'],
    ['{"Plaintext":"AQ"}', 'A blob is not base64.'],
    ['{"Context":[]}', 'Start of list can not be converted to a Map'],
    ['{"Context":{"a":null}}', 'NULL_VALUE can not be converted to a String'],
    ['{"Context":{"a":1}}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"Context":{"a":"1","a":"2"}}', 'A member stands twice in one object.'],
    ['{"KeyId":"a","KeyId":"b"}', 'A member stands twice in one object.'],
    ['{"Tokens":"a"}', 'STRING_VALUE can not be converted to a List'],
    ['{"Tokens":[null]}', 'NULL_VALUE can not be converted to a String'],
    ['{"Tags":[1]}', 'NUMBER_VALUE can not be converted to a Structure'],
    ['[]', 'Start of list can not be converted to a Structure'],
    ['"x"', 'STRING_VALUE can not be converted to a Structure'],
    ['', 'The request ends too early.'],
  ])('%s is refused: %s', (text, message) => {
    expect(failure(text)).toMatchObject({ code: 'ERR_KMS_SERIALIZATION', message });
  });

  test('Wiping zeroes every blob; where the reading fails, those already read are zeroed', () => {
    const read = readInput(body({ Plaintext: 'AQI=' }), shape);
    read.wipe();
    expect(read.value['Plaintext']).toEqual(Buffer.from([0, 0]));
  });

  test('A blob whose base64 is written in escapes is the same blob', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 30 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64');
        const slashes = `{"Plaintext":"${text.replaceAll('/', String.raw`\/`)}"}`;
        const units = `{"Plaintext":"${[...text].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')}"}`;
        for (const each of [slashes, units])
          expect(readInput(body(each), shape).value['Plaintext']).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('Any bytes are read or refused with one of two codes', () => {
    const value = fc.record({
      KeyId: fc.string(),
      Tags: fc.jsonValue(),
      Plaintext: fc.base64String(),
      Context: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), value.map(body)), (bytes) => {
        expect([undefined, 'ERR_KMS_SERIALIZATION', 'ERR_KMS_VALIDATION']).toContain(
          failure(Buffer.from(bytes).toString('latin1')).code,
        );
      }),
      { numRuns: 2000 },
    );
  });
});

const one = (violation: string): string => `1 validation error detected: ${violation}`;
const fails = 'failed to satisfy constraint:';

describe('limits, in the words of AWS', () => {
  test.each([
    [{}, one(`Value null at 'keyId' ${fails} Member must not be null`)],
    [{ KeyId: '' }, one(`Value '' at 'keyId' ${fails} Member must have length greater than or equal to 1`)],
    [
      { KeyId: 'abcdefghijk' },
      one(`Value 'abcdefghijk' at 'keyId' ${fails} Member must have length less than or equal to 10`),
    ],
    [
      { KeyId: 'k', NumberOfBytes: 0 },
      one(`Value '0' at 'numberOfBytes' ${fails} Member must have value greater than or equal to 1`),
    ],
    [
      { KeyId: 'k', NumberOfBytes: 1025 },
      one(`Value '1025' at 'numberOfBytes' ${fails} Member must have value less than or equal to 1024`),
    ],
    [
      { KeyId: 'k', Spec: 'DES' },
      one(`Value 'DES' at 'spec' ${fails} Member must satisfy enum value set: [AES_256, AES_128]`),
    ],
    [
      { KeyId: 'k', Plaintext: 'AAAAAAA=' },
      one(`Value at 'plaintext' ${fails} Member must have length less than or equal to 4`),
    ],
    [
      { KeyId: 'k', Plaintext: '' },
      one(`Value at 'plaintext' ${fails} Member must have length greater than or equal to 1`),
    ],
    [
      { KeyId: 'k', Tokens: ['a', 'b', 'c'] },
      one(`Value '[a, b, c]' at 'tokens' ${fails} Member must have length less than or equal to 2`),
    ],
    [
      { KeyId: 'k', Tokens: ['a', 'long'] },
      one(
        `Value '[a, long]' at 'tokens' ${fails} Member must satisfy constraint: [Member must have length less than or equal to 3, Member must have length greater than or equal to 1]`,
      ),
    ],
    [
      { KeyId: 'k', Modifiers: ['X'] },
      one(
        `Value '[X]' at 'modifiers' ${fails} Member must satisfy constraint: [Member must satisfy enum value set: [IGNORE_CIPHERTEXT]]`,
      ),
    ],
    [
      { KeyId: 'k', Tags: [{ TagKey: 'ok' }, { TagKey: 'toolong' }] },
      one(`Value 'toolong' at 'tags.2.member.tagKey' ${fails} Member must have length less than or equal to 4`),
    ],
    [{ KeyId: 'k', Tags: [{}] }, one(`Value null at 'tags.1.member.tagKey' ${fails} Member must not be null`)],
    [
      { KeyId: 'k', Tags: [{ TagKey: 'a', Name: 'A!' }] },
      one(`Value 'A!' at 'tags.1.member.name' ${fails} Member must satisfy regular expression pattern: ^[a-z:/_-]+$`),
    ],
    [
      { NumberOfBytes: 0, Spec: 'x' },
      `3 validation errors detected: Value null at 'keyId' ${fails} Member must not be null; Value '0' at 'numberOfBytes' ${fails} Member must have value greater than or equal to 1; Value 'x' at 'spec' ${fails} Member must satisfy enum value set: [AES_256, AES_128]`,
    ],
  ])('%j', (value, message) => {
    expect(failure(value)).toMatchObject({ code: 'ERR_KMS_VALIDATION', message });
  });

  test('What lies on a limit passes', () => {
    const most = {
      KeyId: 'abcdefghij',
      NumberOfBytes: 1024,
      Plaintext: 'AAAAAA==',
      Tokens: ['abc', 'a'],
      Tags: [{ TagKey: 'abcd', Name: 'a:/_-' }],
    };
    expect(failure(most)).toEqual({});
    expect(failure({ KeyId: 'a', NumberOfBytes: 1, Plaintext: 'AA==', Tokens: [], Tags: [] })).toEqual({});
  });
});
