/**
 * The JSON Schema of the config file, for editors: `config/sealgate.schema.json`. `node src/config/emit-schema.ts` writes it; a
 * test keeps the file in step. Wherever something else than text is expected, `${NAME}` is allowed as well.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from './schema.ts';

export const SCHEMA_FILE = fileURLToPath(new URL('../../config/sealgate.schema.json', import.meta.url));

const NAME = String.raw`\$\{[A-Za-z_][A-Za-z0-9_]*\}`;
/** In place of a number or true and false: all of the text. */
const WHOLE_REFERENCE = { type: 'string', pattern: `^${NAME}$` };
/** Somewhere in a text that has a form: what the form says is checked once the reference is replaced. */
const INNER_REFERENCE = { type: 'string', pattern: NAME };

type Emitted = {
  type?: unknown;
  pattern?: unknown;
  format?: unknown;
  description?: unknown;
  default?: unknown;
  anyOf?: unknown;
};

/** What takes no `${NAME}` by itself: numbers, true and false, texts of a form that it does not have. */
function referenceFor({ type, pattern, format }: Emitted): typeof WHOLE_REFERENCE | undefined {
  if (type === 'integer' || type === 'boolean') return WHOLE_REFERENCE;
  if (typeof pattern === 'string') return new RegExp(pattern, 'u').test('${NAME}') ? undefined : INNER_REFERENCE;
  return format === undefined ? undefined : INNER_REFERENCE;
}

/** `${NAME}` is said by a second alternative. */
function allowReference(schema: Emitted): void {
  const reference = referenceFor(schema);
  if (reference === undefined) return;
  const { description, default: fallback, ...constraint } = structuredClone(schema);
  for (const key of Object.keys(schema)) Reflect.deleteProperty(schema, key);
  Object.assign(schema, {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  });
  schema.anyOf = [constraint, reference];
}

/** The file's text, formatted as the repository is. */
export function emitSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      allowReference(jsonSchema);
    },
  });
  return `${JSON.stringify({ ...schema, title: 'sealgate.yaml' }, undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SCHEMA_FILE, emitSchema());
