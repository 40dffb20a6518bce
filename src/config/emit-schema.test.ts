import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { emitSchema, SCHEMA_FILE } from './emit-schema.ts';

test('config/sealgate.schema.json is what the schema says (node src/config/emit-schema.ts writes it)', () => {
  expect(readFileSync(SCHEMA_FILE, 'utf8')).toBe(emitSchema());
});

test('Every key of the JSON Schema has a description, so editors can show it', () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, inner] of Object.entries(node)) visit(inner, `${path}/${key}`);
    if (!('properties' in node) || typeof node.properties !== 'object' || node.properties === null) return;
    for (const [key, inner] of Object.entries(node.properties)) {
      const isTag = typeof inner === 'object' && inner !== null && 'const' in inner && key === 'type';
      if (!isTag && !(typeof inner === 'object' && inner !== null && 'description' in inner))
        bare.push(`${path}/${key}`);
    }
  };
  visit(JSON.parse(emitSchema()), '');
  expect(bare).toEqual([]);
});
