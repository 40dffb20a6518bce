/**
 * What a statement names, anywhere in it and without regard to scopes: enough to tell whether it could concern a sealed column, and
 * to refuse what is refused by name.
 */
import type { CopyStmt, RangeVar, TypeName, UpdateStmt } from 'libpg-query';
import type { Catalog, HotRoutine } from './catalog/catalog.ts';
import type { ChangingNames } from './catalog/setting-names.ts';
import { settingKind } from './catalog/setting-patterns.ts';
import { SEALGATE_SCHEMA } from '../service/names.ts';
import { refuseRoutine, refuseStatement } from './errors.ts';
import { SQL_RUNNING_FUNCTIONS } from './catalog/routine-texts.ts';
import { SHADOW_PREFIX } from './catalog/shadow-names.ts';
import { operatorsOf } from './text/operators.ts';
import { locationOf, namesOf, type Node } from './text/syntax.ts';

export type Survey = {
  readonly tables: readonly RangeVar[];
  /** Qualified names of functions called and of types named. */
  readonly functions: readonly { readonly names: readonly string[]; readonly location: number }[];
  readonly types: readonly { readonly names: readonly string[]; readonly location: number }[];
  /** Qualified names of operators, those that it implies among them. */
  readonly operators: readonly { readonly names: readonly string[]; readonly location: number }[];
  /** Names that are selected of something: `t.name` and `(e).name` are calls of a routine where there is no such column. */
  readonly selected: readonly { readonly names: readonly string[]; readonly location: number }[];
  /** Statements that change what follows, wherever they hide. */
  readonly changes: 'settings' | 'anything' | undefined;
  /** It may change, while it runs, what values are printed under or their texts read. */
  readonly setsStyles: boolean;
  /** client_encoding. */
  readonly setsEncoding: boolean;
  readonly hasInto: boolean;
};

type MutableSurvey = {
  tables: RangeVar[];
  functions: { names: readonly string[]; location: number }[];
  types: { names: readonly string[]; location: number }[];
  operators: { names: readonly string[]; location: number }[];
  selected: { names: readonly string[]; location: number }[];
  hasInto: boolean;
  /** It is no query that reads alone. */
  writes: boolean;
  updates: string[];
  /** First arguments of set_config; undefined: no constant. */
  settings: (string | undefined)[];
};

/** `changing`: what changes settings besides set_config and UPDATE of pg_settings. */
export function survey(node: Node, changing?: Catalog['changing']): Survey {
  const found: MutableSurvey = {
    tables: [],
    functions: [],
    types: [],
    operators: [],
    selected: [],
    hasInto: false,
    writes: false,
    updates: [],
    settings: [],
  };
  visit(node, found);
  const changes = uses(found, changing?.schema)
    ? 'anything'
    : sets(found) || uses(found, changing?.settings)
      ? 'settings'
      : undefined;
  return { ...found, changes, ...within(found, changing) };
}

function within(found: MutableSurvey, changing: Catalog['changing'] | undefined) {
  const isOther = found.updates.includes('pg_settings') || selectedNames(found).includes('set_config');
  const kinds = [...found.settings, ...(isOther ? [undefined] : [])].map(settingKind);
  return {
    setsStyles: kinds.some(({ styles }) => styles) || uses(found, changing?.styles),
    setsEncoding: kinds.some(({ encoding }) => encoding) || uses(found, changing?.encoding),
  };
}

const selectedNames = ({ selected }: MutableSurvey): readonly string[] =>
  selected.map(({ names }) => names.at(-1) ?? '');
const calledNames = (found: MutableSurvey): readonly string[] => [
  ...found.functions.map(({ names }) => names.at(-1) ?? ''),
  ...selectedNames(found),
];

function sets(found: MutableSurvey): boolean {
  return calledNames(found).includes('set_config') || found.updates.includes('pg_settings');
}

function uses(found: MutableSurvey, names: ChangingNames | undefined): boolean {
  if (names === undefined) return false;
  const called = calledNames(found);
  const ofTypes = [...called, ...found.types.flatMap((type) => typeNames(type.names))];
  return (
    [...called, ...found.operators.map((operator) => operator.names.at(-1) ?? '')].some((name) =>
      names.used.has(name),
    ) ||
    ofTypes.some((name) => names.types.has(name)) ||
    found.tables.some(({ relname = '' }) => names.used.has(relname) || (found.writes && names.written.has(relname)))
  );
}

/** Whether what is within it writes nothing unless it says so itself. */
const READING: ReadonlySet<string> = new Set(['SelectStmt', 'ExplainStmt', 'PrepareStmt', 'DeclareCursorStmt']);

function visit(part: unknown, found: MutableSurvey): void {
  if (Array.isArray(part)) {
    for (const item of part) visit(item, found);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  // Some nodes are wrapped in their kind, some lie bare in a field: they are told by what they hold.
  // A node with these fields is a RangeVar: no other of the grammar has them.
  if ('relname' in part && 'relpersistence' in part) found.tables.push(part as RangeVar);
  // FOR UPDATE OF names what FROM brought.
  if ('lockedRels' in part) return;
  // What they name is not run, and goes by its kind.
  if ('DropStmt' in part || 'CommentStmt' in part) {
    found.writes = true;
    return;
  }
  if ('funcname' in part) {
    const call = named(part.funcname, part);
    found.functions.push(call);
    // Rows of what is read, made anew, so that values are cast to its columns' types.
    if (/^populate_record$|^jsonb?_populate_record/.test(call.names.at(-1) ?? '')) found.writes = true;
    if (call.names.at(-1) === 'set_config') found.settings.push(constantOf('args' in part ? part.args : undefined));
  }
  if ('names' in part && 'typemod' in part) found.types.push(named(part.names, part));
  // CREATE OPERATOR and AGGREGATE name their functions as if they were types.
  if ('defname' in part && 'arg' in part) found.functions.push(...functionsOf(part.arg));
  if ('fields' in part && Array.isArray(part.fields) && part.fields.length > 1)
    found.selected.push(named(part.fields.slice(-1), part));
  if ('indirection' in part && Array.isArray(part.indirection))
    for (const field of part.indirection) found.selected.push(named([field], part));
  for (const operator of operatorsOf(part)) found.operators.push(named(operator, part));
  if ('intoClause' in part) found.hasInto = true;
  if ('UpdateStmt' in part) found.updates.push((part as { UpdateStmt: UpdateStmt }).UpdateStmt.relation?.relname ?? '');
  for (const [key, value] of Object.entries(part)) {
    if (/^[A-Z]\w*Stmt$/.test(key) && !READING.has(key) && !(key === 'CopyStmt' && isCopyTo(value)))
      found.writes = true;
    visit(value, found);
  }
}

function functionsOf(arg: unknown): MutableSurvey['functions'] {
  if (typeof arg !== 'object' || arg === null || !('TypeName' in arg)) return [];
  const { TypeName: name } = arg as { readonly TypeName: TypeName }; // as its key says
  return [named(name.names, name)];
}

function isCopyTo(statement: unknown): boolean {
  return (statement as CopyStmt).is_from !== true; // as its key says
}

/** Of a list of arguments the first, where it is a constant. */
function constantOf(list: unknown): string | undefined {
  // The grammar puts nothing but nodes into these lists.
  const [first] = (list ?? []) as readonly Node[];
  if (first === undefined) return undefined;
  const isText = 'TypeCast' in first && namesOf(first.TypeCast.typeName?.names).at(-1) === 'text';
  const constant = isText ? first.TypeCast.arg : first;
  return constant !== undefined && 'A_Const' in constant ? constant.A_Const.sval?.sval : undefined;
}

function named(list: unknown, part: object): { names: readonly string[]; location: number } {
  const location = 'location' in part && typeof part.location === 'number' ? part.location : -1;
  // The grammar puts nothing but String nodes into these lists.
  return { names: namesOf(list as readonly Node[]), location };
}

/** The array of a type is called as it is, behind an underscore or several. */
const typeNames = (names: readonly string[]): readonly string[] => [
  names.at(-1) ?? '',
  names.at(-1)?.replace(/^_+/, '') ?? '',
];

/** Refuses what no analysis of scopes would save: hot routines, functions that run SQL, row types of hot tables, our own schemas. */
export function refuseByName(found: Survey, catalog: Catalog): void {
  for (const { names, location } of found.functions) refuseFunction(names, location, catalog);
  for (const { names, location } of found.operators) refuseHotRoutine(names, location, catalog, ['operator']);
  for (const { names, location } of found.selected) refuseHotRoutine(names, location, catalog, ['row routine']);
  for (const { names, location } of found.types) {
    refuseHotRoutine(names, location, catalog, ['type']);
    const name = typeNames(names).find((one) => catalog.hotRelationNames.has(one));
    if (name !== undefined) {
      throw refuseStatement(`the row type of "${name}" holds sealed columns`, location, 'Name the columns one by one.');
    }
  }
  for (const table of found.tables) {
    if (table.schemaname === SEALGATE_SCHEMA || table.schemaname?.startsWith(SHADOW_PREFIX) === true) {
      throw refuseStatement(`schema ${table.schemaname} belongs to the proxy`, locationOf(table));
    }
  }
}

function refuseFunction(names: readonly string[], location: number, catalog: Catalog): void {
  const name = names.at(-1) ?? '';
  if (SQL_RUNNING_FUNCTIONS.has(name)) {
    throw refuseStatement(`function ${name} runs SQL that is given to it as text`, location, 'Write the query itself.');
  }
  refuseHotRoutine(names, location, catalog, ['routine', 'type']);
}

/** `kinds`: what the name may stand for; `row routine`: called as a column of a row, which is all it is given. */
function refuseHotRoutine(
  names: readonly string[],
  location: number,
  catalog: Catalog,
  kinds: readonly (HotRoutine['kind'] | 'row routine')[],
): void {
  const schema = names.length > 1 ? names.at(-2) : undefined;
  const hot = catalog.hotRoutines
    .get(names.at(-1) ?? '')
    ?.find(
      (routine) =>
        (schema === undefined || routine.schema === schema) &&
        (kinds.includes(routine.kind) || (routine.takesRow && kinds.includes('row routine'))),
    );
  if (hot === undefined) return;
  throw refuseRoutine(
    `${hot.kind} ${hot.schema}.${hot.name} ${hot.runsAnother ? 'runs a routine that ' : ''}names a table with sealed columns or runs dynamic SQL`,
    location,
  );
}

/** The first table whose name is one that a rule touches. */
export function hotTable(found: Survey, catalog: Catalog): RangeVar | undefined {
  return found.tables.find((table) => catalog.hotRelationNames.has(table.relname ?? ''));
}
