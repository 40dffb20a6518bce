/**
 * Writes kms-model.json, what AWS's service model says of KMS, without its prose: `node test/conformance/derive-model.ts
 * <service-2.json or .gz of botocore> <version of botocore>`. What is derived is data of AWS's (Apache-2.0); its source stands in it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { ActionModel, KmsModel, ShapeModel } from './model.ts';

type Reference = { readonly shape: string };
/** What of botocore's format is read. */
type ServiceModel = {
  readonly operations: Readonly<
    Record<string, { readonly input: Reference; readonly output?: Reference; readonly errors?: readonly Reference[] }>
  >;
  readonly shapes: Readonly<Record<string, RawShape>>;
};
type RawShape = {
  readonly type: ShapeModel['type'];
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, Reference>>;
  readonly member?: Reference;
};

const [, , from = '', version = ''] = process.argv;
const raw = readFileSync(from);
// A file of AWS's, whose format is botocore's.
const service = JSON.parse((from.endsWith('.gz') ? gunzipSync(raw) : raw).toString('utf8')) as ServiceModel;

const shapes = new Map<string, ShapeModel>();

/** The shape without prose, and all that it is made of. */
function take(name: string): void {
  const shape = service.shapes[name];
  if (shape === undefined || shapes.has(name)) return;
  const { type, min, max, pattern, enum: words, required } = shape;
  const members = shape.members === undefined ? undefined : mapped(shape.members, (member) => member.shape);
  shapes.set(name, { type, min, max, pattern, enum: words, required, members, member: shape.member?.shape });
  for (const inner of [...Object.values(members ?? {}), ...(shape.member === undefined ? [] : [shape.member.shape])])
    take(inner);
}

function mapped<From, To>(record: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}

const actions = mapped(service.operations, ({ input, output, errors = [] }): ActionModel => {
  take(input.shape);
  if (output !== undefined) take(output.shape);
  return { input: input.shape, output: output?.shape, errors: errors.map(({ shape }) => shape) };
});

const source = `botocore ${version}, botocore/data/kms/2014-11-01/service-2.json.gz, Apache-2.0; derived by test/conformance/derive-model.ts`;
const model: KmsModel = { source, actions, shapes: Object.fromEntries(shapes) };
const lines = (record: object): string =>
  Object.entries(record)
    .map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(',\n');
writeFileSync(
  fileURLToPath(new URL('kms-model.json', import.meta.url)),
  `{\n  "source": ${JSON.stringify(model.source)},\n  "actions": {\n${lines(model.actions)}\n  },\n  "shapes": {\n${lines(model.shapes)}\n  }\n}\n`,
);
