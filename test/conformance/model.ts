/** AWS's service model of KMS, as `derive-model.ts` wrote it down, and what of it an answer here has to hold. */
import { readFileSync } from 'node:fs';

export type ShapeModel = {
  readonly type: 'string' | 'integer' | 'blob' | 'boolean' | 'timestamp' | 'list' | 'map' | 'structure';
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly pattern?: string | undefined;
  readonly enum?: readonly string[] | undefined;
  /** Of a structure: members by name, with the names of their shapes, and which are required. */
  readonly members?: Readonly<Record<string, string>> | undefined;
  readonly required?: readonly string[] | undefined;
  /** Of a list. */
  readonly member?: string | undefined;
};
export type ActionModel = {
  readonly input: string;
  readonly output?: string | undefined;
  readonly errors: readonly string[];
};
export type KmsModel = {
  readonly source: string;
  readonly actions: Readonly<Record<string, ActionModel>>;
  readonly shapes: Readonly<Record<string, ShapeModel>>;
};

// Written by derive-model.ts.
export const MODEL = JSON.parse(readFileSync(new URL('kms-model.json', import.meta.url), 'utf8')) as KmsModel;

export const ACTION_NAMES: readonly string[] = Object.keys(MODEL.actions);

export function actionNamed(name: string): ActionModel {
  return known(MODEL.actions, name);
}

export function shapeNamed(name: string): ShapeModel {
  return known(MODEL.shapes, name);
}

export function inputOf(action: string): ShapeModel {
  return shapeNamed(actionNamed(action).input);
}

function known<Value>(table: Readonly<Record<string, Value>>, name: string): Value {
  const value = table[name];
  if (value === undefined) throw new Error(`AWS's model has no ${name}`);
  return value;
}

/** A pattern as AWS asks it: it has to match the whole text. */
export function wholePattern(source: string): RegExp {
  return new RegExp(`^(?:${source})$`, 'u');
}

/** What in an answer AWS's model does not have, or has otherwise: SDKs would drop or misread it. */
export function strangeIn(value: unknown, shapeName: string, path: string): readonly string[] {
  const shape = shapeNamed(shapeName);
  switch (shape.type) {
    case 'structure':
      return isRecord(value) ? strangeMembers(value, shape, path) : [`${path} is no structure`];
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((one, index) => strangeIn(one, shape.member ?? '', `${path}[${index}]`))
        : [`${path} is no list`];
    case 'map':
      return isRecord(value) && Object.values(value).every((one) => typeof one === 'string') ? [] : [`${path}: no map`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${path} is no boolean`];
    case 'timestamp':
      return typeof value === 'number' && Math.abs(value * 1000 - Date.now()) < TEN_YEARS_MS
        ? []
        : [`${path}: no time`];
    case 'integer':
      return Number.isInteger(value) ? within(Number(value), shape, path) : [`${path} is no integer`];
    case 'string':
      return typeof value === 'string' ? strangeText(value, shape, path) : [`${path} is no string`];
    case 'blob':
      return strangeBlob(value, shape, path);
  }
}

const TEN_YEARS_MS = 10 * 366 * 24 * 60 * 60 * 1000;

function strangeMembers(value: object, shape: ShapeModel, path: string): readonly string[] {
  const missing = (shape.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${path} lacks ${name}`);
  const members = Object.entries(value).flatMap(([name, one]) => {
    const member = shape.members?.[name];
    return member === undefined ? [`${path}.${name} is none of AWS's`] : strangeIn(one, member, `${path}.${name}`);
  });
  return [...missing, ...members];
}

function strangeText(text: string, shape: ShapeModel, path: string): readonly string[] {
  if (shape.enum !== undefined && !shape.enum.includes(text)) return [`${path}: ${text} is no word of AWS's`];
  const fits = shape.pattern === undefined || text === '' || wholePattern(shape.pattern).test(text);
  return fits ? within(text.length, shape, path) : [`${path}: ${text} does not match`];
}

function strangeBlob(value: unknown, shape: ShapeModel, path: string): readonly string[] {
  if (typeof value !== 'string' || Buffer.from(value, 'base64').toString('base64') !== value)
    return [`${path} is no base64`];
  return within(Buffer.from(value, 'base64').length, shape, path);
}

/** The lower bounds are of inputs: an empty description or grant name is what AWS answers. */
function within(size: number, { max = Number.POSITIVE_INFINITY }: ShapeModel, path: string): readonly string[] {
  return size <= max ? [] : [`${path} is larger than ${max}`];
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
