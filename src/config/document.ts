/**
 * YAML text becomes plain data with a place for every key and value.
 *
 * Refused: tags, anchors, aliases and merge keys (so nothing can expand to more than was written), duplicate keys, keys that
 * are no text, several documents, deep nesting. Source: YAML 1.2.2, core schema.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
} from 'yaml';
import { MARK, type ConfigPath, type Finding, type Position } from './problem.ts';

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/** The file as data, and where each of its keys and values stands. */
export type SourceTree = {
  readonly data: Plain;
  readonly findings: readonly Finding[];
  readonly positions: Positions;
};

const MAX_DEPTH = 32;
const MAX_FINDINGS = 100;

/** Places by path. */
export class Positions {
  readonly #places = new Map<string, { key: number | undefined; value: number }>();
  readonly #lines: LineCounter;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  add(path: ConfigPath, key: number | undefined, value: number): void {
    this.#places.set(JSON.stringify(path), { key, value });
  }

  has(path: ConfigPath): boolean {
    return this.#places.has(JSON.stringify(path));
  }

  /** The place of a key or value; for one that is not there, the place of the nearest thing around it. */
  of(path: ConfigPath, at: 'key' | 'value'): Position {
    const place = this.#places.get(JSON.stringify(path));
    if (place !== undefined) return this.at(at === 'key' ? (place.key ?? place.value) : place.value);
    return path.length === 0 ? { line: 1, column: 1 } : this.of(path.slice(0, -1), 'key');
  }

  at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return line === 0 ? { line: 1, column: 1 } : { line, column: col };
  }
}

class Walk {
  readonly findings: Finding[] = [];
  readonly positions: Positions;

  constructor(positions: Positions) {
    this.positions = positions;
  }

  syntax(path: ConfigPath, message: string): null {
    if (this.findings.length < MAX_FINDINGS)
      this.findings.push({ code: 'ERR_CONFIG_SYNTAX', path, at: 'value', message });
    return null;
  }

  value(node: Node | null, path: ConfigPath, key: number | undefined): Plain {
    this.positions.add(path, key, node?.range?.[0] ?? key ?? 0);
    if (node === null) return null;
    if (path.length > MAX_DEPTH) return this.syntax(path, `nested more than ${MAX_DEPTH} deep`);
    if (isAlias(node))
      return this.syntax(
        path,
        'an alias (`*name`) is refused: write the value out (or put text that begins with `*` in quotes)',
      );
    if ('anchor' in node && node.anchor !== undefined)
      this.syntax(path, 'an anchor (`&name`) is refused (put text that begins with `&` in quotes)');
    if (node.tag !== undefined)
      this.syntax(path, 'a tag (`!name`) is refused (put text that begins with `!` in quotes)');
    if (isMap(node)) return this.mapping(node.items, path);
    if (isSeq(node))
      return node.items.map((item, index) => this.value(item as Node | null, [...path, index], undefined));
    return isScalar(node) ? this.scalar(node.value, path) : null;
  }

  scalar(value: unknown, path: ConfigPath): Plain {
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
      return value;
    return this.syntax(path, 'expected text, a number, true or false');
  }

  mapping(items: readonly Pair[], path: ConfigPath): Plain {
    const entries = new Map<string, Plain>();
    for (const { key, value } of items) {
      if (!isScalar(key) || typeof key.value !== 'string') {
        this.syntax(
          this.placed(path, (key as Node | null)?.range?.[0] ?? 0),
          'a key that is no text: expected `name: value`',
        );
        continue;
      }
      const name = key.value;
      const inner = [...path, name];
      if (entries.has(name)) this.duplicate(inner, key.range?.[0] ?? 0);
      // The nodes of a parsed document are Nodes; Pair's types also allow what a program puts in.
      else entries.set(name, this.value(value as Node | null, inner, key.range?.[0]));
    }
    return Object.fromEntries(entries);
  }

  /** The path, with a place of its own in the file. */
  placed(path: ConfigPath, offset: number): ConfigPath {
    const place = [...path, MARK, offset];
    this.positions.add(place, offset, offset);
    return place;
  }

  duplicate(path: ConfigPath, offset: number): void {
    const first = this.positions.of(path, 'key');
    this.findings.push({
      code: 'ERR_CONFIG_DUPLICATE_KEY',
      // A place of its own: the path's is the first key's.
      path: this.placed(path, offset),
      at: 'key',
      message: `stands twice: first on line ${first.line}, column ${first.column}`,
    });
  }
}

function parseErrors(document: Document.Parsed, text: string, positions: Positions): Finding[] {
  return [...document.errors, ...document.warnings].slice(0, 10).map((error, index) => {
    const place = [MARK, index];
    positions.add(place, undefined, error.pos[0]);
    // The first line is the message; the rest is an excerpt, which may hold a secret. Positions are ours.
    const [message = 'not YAML'] = error.message.split('\n');
    const { line } = positions.at(error.pos[0]);
    const hint =
      text.split('\n')[line - 1]?.includes('${') === true ? ' (within { } and [ ], `${NAME}` needs quotes)' : '';
    return {
      code: 'ERR_CONFIG_SYNTAX',
      path: place,
      at: 'value',
      message: `${message.replace(/ at line \d+, column \d+:?$/u, '')}${hint}`,
    };
  });
}

/** Parses a config's text. Never throws: what is wrong is in `findings`. */
export function readDocument(text: string): SourceTree {
  const lines = new LineCounter();
  const positions = new Positions(lines);
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: false,
    merge: false,
    version: '1.2',
    schema: 'core',
    prettyErrors: false,
    logLevel: 'silent',
  });
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (document === undefined) return { data: null, findings: [], positions };
  const errors = parseErrors(document, text, positions);
  if (errors.length > 0) return { data: null, findings: errors, positions };
  const walk = new Walk(positions);
  const data = walk.value(document.contents, [], undefined);
  if (second !== undefined) {
    walk.syntax(walk.placed([], second.range[0]), 'expected one document, found a second');
  }
  return { data, findings: walk.findings, positions };
}
