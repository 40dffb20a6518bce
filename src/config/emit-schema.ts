/**
 * The JSON Schema of the config file, for editors: `config/sealgate.schema.json`. `node src/config/emit-schema.ts` writes it; a
 * test keeps the file in step. Wherever something else than text is expected, `${NAME}` is allowed as well.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { configSchema } from './schema.ts';

export const SCHEMA_FILE = fileURLToPath(new URL('../../config/sealgate.schema.json', import.meta.url));

const REFERENCE = { type: 'string', pattern: String.raw`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$` };

type Emitted = {
  type?: unknown;
  pattern?: unknown;
  format?: unknown;
  description?: unknown;
  default?: unknown;
  anyOf?: unknown;
};

/** `${NAME}` in place of a number or a patterned text: said by a second alternative. */
function allowReference(schema: Emitted): void {
  const special =
    schema.type === 'integer' ||
    schema.type === 'boolean' ||
    schema.pattern !== undefined ||
    schema.format !== undefined;
  if (!special) return;
  const { description, default: fallback, ...constraint } = structuredClone(schema);
  for (const key of Object.keys(schema)) Reflect.deleteProperty(schema, key);
  Object.assign(schema, {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  });
  schema.anyOf = [constraint, REFERENCE];
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
