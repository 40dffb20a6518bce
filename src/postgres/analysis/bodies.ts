/**
 * Bodies of routines and of DO: to the grammar they are strings, so what they name is looked for in their texts, as they were written and as
 * the server reads them. What DO runs is run at once; a new routine could be called before its body has been read from the catalog.
 */
import { SEALGATE_SCHEMA } from '../service/names.ts';
import type { Catalog } from './catalog/catalog.ts';
import { changesSchema } from './catalog/setting-patterns.ts';
import { RUNS_TEXT, SPELLS_NAMES } from './catalog/routine-texts.ts';
import { Names, wordsOf } from './catalog/names-in-bodies.ts';
import type { Node } from './text/syntax.ts';

/** `text`: the statement as it was written. */
export function bodyConcerns(node: Node, text: string, catalog: Catalog): boolean {
  const body = bodyOf(node);
  if (body === undefined) return false;
  const texts = [text, ...stringsIn(body)];
  const hot = new Names([...catalog.hotRelationNames, ...catalog.hotRoutines.keys()]);
  const concerns = (one: string): boolean =>
    one.toLowerCase().includes(SEALGATE_SCHEMA) ||
    hot.areIn(wordsOf(one)) ||
    SPELLS_NAMES.test(one) ||
    ('DoStmt' in node && runsAnything(one));
  return texts.some(concerns) || ('DoStmt' in node && !isPlpgsql(node.DoStmt.args ?? []));
}

/** `text`: a DO statement. Whether what it runs may change the catalog. */
export function blockChangesSchema(text: string, { changing: { schema } }: Catalog): boolean {
  return changesSchema(text) || new Names([...schema.used, ...schema.types, ...schema.written]).areIn(wordsOf(text));
}

function bodyOf(node: Node): unknown {
  if ('DoStmt' in node) return node.DoStmt.args;
  return 'CreateFunctionStmt' in node ? node.CreateFunctionStmt.options : undefined;
}

function runsAnything(body: string): boolean {
  return /\bexecute\b/i.test(body) || RUNS_TEXT.test(body);
}

/** Other languages run SQL through functions of their own. */
function isPlpgsql(args: readonly Node[]): boolean {
  const languages = args.flatMap((arg) =>
    'DefElem' in arg && arg.DefElem.defname === 'language' ? [arg.DefElem] : [],
  );
  return languages.every(({ arg }) => arg !== undefined && 'String' in arg && arg.String.sval === 'plpgsql');
}

/** Every string, with its escapes read. */
function stringsIn(part: unknown): readonly string[] {
  if (Array.isArray(part)) return part.flatMap(stringsIn);
  if (typeof part !== 'object' || part === null) return [];
  if ('sval' in part && typeof part.sval === 'string') return [part.sval];
  return Object.values(part).flatMap(stringsIn);
}
