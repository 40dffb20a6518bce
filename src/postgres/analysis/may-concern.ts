/**
 * The question every statement is asked before anything else: could it name something hot, or change what names mean? Answers from
 * the text alone, without parsing, and errs on the side of yes.
 */
import { namesChanging, type Catalog } from './catalog/catalog.ts';
import { CATALOG_WORDS } from './facade/catalog-query.ts';
import { namesPattern } from './catalog/hot-set.ts';
import { SQL_RUNNING_FUNCTIONS } from './catalog/routine-texts.ts';
import { IMPLIED_OPERATORS } from './text/operators.ts';
import { mayNameOtherwise } from './text/server-identifiers.ts';
import { SEALGATE_SCHEMA } from '../service/names.ts';

/** Statements that start with one of these words only read or write rows; INTO is looked for apart. */
const ROW_STATEMENT =
  /^[\s(]*(?:select|insert|update|delete|values|table|fetch|move|close|listen|unlisten|notify|show|deallocate|checkpoint)\b/i;
/** What the same statements could hide: U& spells names in escapes; set_config sets; SELECT INTO creates; a second statement may do anything. */
const HIDDEN = /u&|set_config|;\s*\S/i;
const SELECT_INTO = /^[\s(]*select\b[\s\S]*\binto\b/i;

/** An UPDATE of it sets, by its rule; it is often read. */
const updatesSettings = (sql: string): boolean => /pg_settings/i.test(sql) && /update/i.test(sql);

export type MayConcern = (sql: string) => boolean;

/** The hot names of one catalog, as a test on texts. */
export function mayConcernTest(catalog: Catalog): MayConcern {
  const names = [
    ...catalog.hotRelationNames,
    ...catalog.hotRoutines.keys(),
    ...namesChanging(catalog),
    ...SQL_RUNNING_FUNCTIONS,
    SEALGATE_SCHEMA,
    ...CATALOG_WORDS,
  ];
  const hot = namesPattern(names);
  const { serverEncoding } = catalog.facts;
  const impliesAny = names.some((name) => IMPLIED_OPERATORS.has(name));
  return (sql) => {
    if (!ROW_STATEMENT.test(sql)) return sql.trim() !== '';
    return (
      impliesAny ||
      hot?.test(sql) === true ||
      HIDDEN.test(sql) ||
      updatesSettings(sql) ||
      SELECT_INTO.test(sql) ||
      mayNameOtherwise(sql, serverEncoding)
    );
  };
}
