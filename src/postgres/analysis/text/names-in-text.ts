/** Where a text names types, functions, operators, and (in constants of type regclass) sequences. */
import type { Node } from 'libpg-query';
import type { SourceText } from './source-text.ts';
import { builtinName, locationOf, namesOf, parseStatements } from './syntax.ts';

export type NameInText = {
  readonly kind: 'type' | 'function' | 'operator' | 'sequence';
  readonly schema: string | undefined;
  readonly name: string;
  /** Byte offsets; of a sequence's, those of the constant. An operator's say nothing. */
  readonly start: number;
  readonly end: number;
};

/** Errors: ERR_POSTGRES_UNPARSABLE. */
export function namesInText(source: SourceText): readonly NameInText[] {
  const found: NameInText[] = [];
  // No recursion: statements may nest deeply.
  const left: unknown[] = parseStatements(source.sql, source.byteLength).map(({ node }) => node);
  while (left.length > 0) {
    const part = left.pop();
    if (typeof part !== 'object' || part === null) continue;
    if (!Array.isArray(part)) found.push(...namedBy(part, source));
    for (const inside of Object.values(part)) left.push(inside);
  }
  return found;
}

/** What any node of the tree may have. */
type Part = {
  readonly names?: readonly Node[];
  readonly typemod?: number;
  readonly funcname?: readonly Node[];
  /** Of an expression. */
  readonly name?: unknown;
  readonly args?: readonly Node[];
  readonly arg?: Node;
  readonly typeName?: { readonly names?: readonly Node[] };
  readonly location?: number;
};

function namedBy(part: Part, source: SourceText): readonly NameInText[] {
  if (part.names !== undefined && part.typemod !== undefined) return qualifiedName('type', part.names, part, source);
  if (part.funcname !== undefined) {
    const isOfSequences = SEQUENCE_FUNCTIONS.has(builtinName(namesOf(part.funcname)) ?? '');
    const sequence = isOfSequences ? sequenceName(part.args?.[0], source) : [];
    return [...qualifiedName('function', part.funcname, part, source), ...sequence];
  }
  if (Array.isArray(part.name)) return operatorName(part.name as readonly Node[]);
  const isClass = builtinName(namesOf(part.typeName?.names)) === 'regclass';
  return isClass ? sequenceName(part.arg, source) : [];
}

const SEQUENCE_FUNCTIONS: ReadonlySet<string> = new Set(['nextval', 'currval', 'setval']);

function qualifiedName(
  kind: NameInText['kind'],
  list: readonly Node[],
  part: { readonly location?: number },
  source: SourceText,
): readonly NameInText[] {
  const names = namesOf(list);
  const [first = '', second] = names;
  const start = locationOf(part);
  const token = source.tokenAt(start);
  if (token === undefined || names.length > 2) return [];
  if (second === undefined)
    return [{ kind, schema: undefined, name: first, start, end: source.tokens[token]?.end ?? start }];
  // Some of the server's own are written without the schema that the tree has.
  const end = source.tokenText(token + 1) === '.' ? source.tokens[token + 2]?.end : undefined;
  return end === undefined ? [] : [{ kind, schema: first, name: second, start, end }];
}

/** One with a schema before it is not found. */
function operatorName(list: readonly Node[]): readonly NameInText[] {
  const [name, ...more] = namesOf(list);
  return name === undefined || more.length > 0
    ? []
    : [{ kind: 'operator', schema: undefined, name, start: -1, end: -1 }];
}

const PART = '"(?:[^"]|"")+"|[a-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]*';
const SEQUENCE = new RegExp(`^\\s*(?:(${PART})\\s*\\.\\s*)?(${PART})\\s*$`, 'i');

function sequenceName(node: Node | undefined, source: SourceText): readonly NameInText[] {
  if (node === undefined || !('A_Const' in node)) return [];
  const { sval } = node.A_Const;
  const [, schema, name] = SEQUENCE.exec(sval?.sval ?? '') ?? [];
  const start = locationOf(node.A_Const);
  const token = source.tokenAt(start);
  if (name === undefined || token === undefined || !source.tokenText(token).startsWith("'")) return [];
  return [
    {
      kind: 'sequence',
      schema: schema === undefined ? undefined : asStored(schema),
      name: asStored(name),
      start,
      end: source.tokens[token]?.end ?? start,
    },
  ];
}

/** As the server folds it: ASCII letters. */
function asStored(identifier: string): string {
  if (identifier.startsWith('"')) return identifier.slice(1, -1).replaceAll('""', '"');
  return identifier.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
