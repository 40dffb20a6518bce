/** The type a schema change gives a sealed column: its rule's, or the statement is refused; upstream it becomes the guard's. */
import type { TypeName } from 'libpg-query';
import { GUARD_DOMAIN, quoteIdentifier, quoteQualified, SEALGATE_SCHEMA } from '../../service/names.ts';
import { formatRuleType } from '../../types/type-text.ts';
import { ValueError } from '../../types/errors.ts';
import type { RuledColumn } from '../catalog/rules.ts';
import { builtinName, locationOf, namesOf } from '../text/syntax.ts';
import { refuseDdl } from './errors.ts';
import { ruledName } from './tables.ts';

/** What the server is told. */
export function upstreamType({ guard, type, format }: RuledColumn): string {
  if (format !== undefined) return formatRuleType(type);
  return guard ? quoteQualified(SEALGATE_SCHEMA, GUARD_DOMAIN) : 'pg_catalog.bytea';
}

/** Whether the statement already says what the server is to be told. */
export function isUpstreamType(type: TypeName, rule: RuledColumn | undefined): boolean {
  const names = namesOf(type.names);
  if ((type.arrayBounds ?? []).length > 0) return false;
  if (names.join('.') === `${SEALGATE_SCHEMA}.${GUARD_DOMAIN}`)
    return rule?.guard !== false && rule?.format === undefined;
  return rule?.guard === false && rule.format === undefined && builtinName(names) === 'bytea';
}

/**
 * Refuses a type that is not the rule's, which is what clients are told and values are sealed as.
 *
 * @param searchPath where a type without a schema is looked for, unless the server has it itself.
 */
export function requireRuledType(type: TypeName, rule: RuledColumn, searchPath: readonly string[]): void {
  const names = namesOf(type.names);
  const written = spelled(type, names);
  const isFound = names.length === 1 && !isTypeOfServer(written);
  const meant = isFound ? searchPath.map((schema) => spelled(type, [schema, ...names])) : [written];
  if (meant.some((spelling) => sameType(spelling, rule.type))) return;
  const shown = formatted(written);
  throw refuseDdl(
    `column ${ruledName(rule)} would be of type ${shown}, and its rule says ${formatted(rule.type)}`,
    locationOf(type),
    `Write "type: ${shown}" in the rule, if sealed columns may have it, or declare the column as ${formatted(rule.type)}.`,
  );
}

/** A type as a rule spells it: name, modifiers, array bounds. */
function spelled(type: TypeName, names: readonly string[]): string {
  const name = builtinName(names) ?? names.map(quoteIdentifier).join('.');
  const written = (type.typmods ?? []).map((modifier) =>
    'A_Const' in modifier ? String(modifier.A_Const.ival?.ival ?? 0) : '?',
  );
  // interval(3) is said to be of all fields.
  const modifiers = name === 'interval' && written[0] === '32767' ? written.slice(1) : written;
  const bounds = '[]'.repeat((type.arrayBounds ?? []).length);
  return `${name}${modifiers.length === 0 ? '' : `(${modifiers.join(',')})`}${bounds}`;
}

function isTypeOfServer(text: string): boolean {
  try {
    formatRuleType(text);
    return true;
  } catch (error) {
    if (error instanceof ValueError) return false;
    throw error;
  }
}

function sameType(written: string, ruled: string): boolean {
  return formatted(written) === formatted(ruled);
}

/** As format_type prints it; what is no type of sealed columns as it is written. */
function formatted(text: string): string {
  try {
    return formatRuleType(text);
  } catch (error) {
    if (error instanceof ValueError) return text.toLowerCase();
    throw error;
  }
}
