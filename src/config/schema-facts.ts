/** What the JSON Schema says about one place of the file: for messages that name the known keys and what a key holds. */
import { z } from 'zod';
import type { Plain } from './document.ts';
import type { ConfigPath } from './problem.ts';
import { configSchema } from './schema.ts';

export type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly const?: unknown;
};

/** The schema as editors get it, before `emit-schema.ts` widens it for `${NAME}`. */
export function plainJsonSchema(): JsonSchema {
  // zod's own type allows every draft; only the keys above are looked at.
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema;
}

/** The data at a path; undefined where nothing is. */
export function valueAt(data: Plain | undefined, path: ConfigPath): Plain | undefined {
  let value: Plain | undefined = data;
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return undefined;
    // Arrays take numbers, mappings take names; the other way round gives undefined, which is right.
    value = (value as Readonly<Record<string | number, Plain>>)[step];
  }
  return value;
}

/** Of a union's members, the one whose `type` the data has. */
function choose(schema: JsonSchema, value: Plain | undefined): JsonSchema {
  const members = (schema.oneOf ?? schema.anyOf ?? []).filter((member) => member.properties !== undefined);
  if (members.length === 0) return schema;
  const type = valueAt(value, ['type']);
  return (
    members.find((member) => member.properties?.['type']?.const === type) ?? { ...schema, properties: { type: {} } }
  );
}

/** The schema of the place, undefined where none is known. `data` decides between a union's members. */
export function schemaAt(root: JsonSchema, data: Plain, path: ConfigPath): JsonSchema | undefined {
  let schema: JsonSchema | undefined = choose(root, data);
  for (const [index, step] of path.entries()) {
    schema = typeof step === 'number' ? schema.items : schema.properties?.[step];
    if (schema === undefined) return undefined;
    schema = choose(schema, valueAt(data, path.slice(0, index + 1)));
  }
  return schema;
}
