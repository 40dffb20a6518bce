/**
 * The shapes of action inputs: plain data that both the reader (`read.ts`) and the validator (`validate.ts`) walk. Names and
 * limits are those of AWS's service model; each action's stand in its own file.
 */

declare const value: unique symbol;

type StringData = {
  readonly type: 'string';
  readonly min?: number;
  readonly max?: number;
  /** As AWS writes it, and as it is asked: it has to match the whole text. */
  readonly pattern?: { readonly source: string; readonly whole: RegExp };
  /** The only words allowed. */
  readonly oneOf?: readonly string[];
};
type IntegerData = { readonly type: 'integer'; readonly min?: number; readonly max?: number };
type BlobData = {
  readonly type: 'blob';
  readonly min: number;
  readonly max: number;
};
export type ListData = {
  readonly type: 'list';
  readonly of: ShapeData;
  readonly min?: number;
  readonly max?: number;
};
export type StructData = { readonly type: 'struct'; readonly members: Readonly<Record<string, MemberData>> };
export type MemberData = { readonly shape: ShapeData; readonly required: boolean };

export type ShapeData =
  | StringData
  | IntegerData
  | { readonly type: 'boolean' }
  | { readonly type: 'timestamp' }
  | BlobData
  | ListData
  /** Text to text: the encryption context. */
  | { readonly type: 'map' }
  | StructData;

/** A shape and, for the compiler alone, the type of what it reads. */
export type Shape<Value> = ShapeData & { readonly [value]?: Value };
export type StructShape<Value> = StructData & { readonly [value]?: Value };
export type Member<Value> = MemberData & { readonly [value]?: Value };

type Members = Readonly<Record<string, Member<unknown>>>;
type Struct<M extends Members> = { readonly [Name in keyof M]: M[Name] extends Member<infer Value> ? Value : never };

export const required = <Value>(shape: Shape<Value>): Member<Value> => ({ shape, required: true });
export const optional = <Value>(shape: Shape<Value>): Member<Value | undefined> => ({ shape, required: false });

export const string = (limits: { readonly min?: number; readonly max?: number } = {}): Shape<string> => ({
  type: 'string',
  ...limits,
});
export const patterned = (min: number, max: number, source: string): Shape<string> => ({
  type: 'string',
  min,
  max,
  pattern: { source, whole: new RegExp(`^(?:${source})$`, 'u') },
});
export const oneOf = <const Word extends string>(...words: readonly Word[]): Shape<Word> => ({
  type: 'string',
  oneOf: words,
});
export const integer = (min: number, max: number): Shape<number> => ({ type: 'integer', min, max });
export const boolean: Shape<boolean> = { type: 'boolean' };
/** Seconds since 1970. */
export const timestamp: Shape<number> = { type: 'timestamp' };
export const blob = (min: number, max: number): Shape<Uint8Array> => ({ type: 'blob', min, max });
export const list = <Value>(
  of: Shape<Value>,
  limits: { readonly min?: number; readonly max?: number } = {},
): Shape<readonly Value[]> => ({ type: 'list', of, ...limits });
export const textMap: Shape<Readonly<Record<string, string>>> = { type: 'map' };
export const struct = <const M extends Members>(members: M): StructShape<Struct<M>> => ({ type: 'struct', members });
