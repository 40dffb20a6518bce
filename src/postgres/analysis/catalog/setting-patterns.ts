/** What in the body of a routine changes settings, or the catalog. */

/** What values are printed under, or their texts read. */
const STYLES = 'time\\s+zone|timezone|datestyle|intervalstyle|extra_float_digits|bytea_output|array_nulls';
const ENCODING = 'names|client_encoding';
const SETTINGS = `${STYLES}|${ENCODING}|search_path|schema|role|session|standard_conforming_strings|sealgate\\.\\w+`;
export const SETS = setting(SETTINGS);
export const SETS_STYLE = setting(STYLES);
export const SETS_ENCODING = setting(ENCODING);

/** SET and RESET of these, DISCARD, and set_config of them or of what is not a constant. */
function setting(names: string): RegExp {
  const ways = [
    `\\bset\\s+(?:(?:session|local)\\s+)?"?(?:${names})\\b`,
    `\\breset\\s+"?(?:all|${names})\\b`,
    '\\bdiscard\\s+all\\b',
    `\\bset_config\\b"?\\s*\\(\\s*(?:'\\s*(?:${names})\\b|(?!'))`,
  ];
  return new RegExp(ways.join('|'), 'i');
}

/** Which of them set_config sets, by its first argument; undefined: no constant. */
export function settingKind(name: string | undefined): { readonly styles: boolean; readonly encoding: boolean } {
  const isOf = (names: string): boolean => name === undefined || new RegExp(`^(?:${names})$`, 'i').test(name);
  return { styles: isOf(STYLES), encoding: isOf(ENCODING) };
}

/** Its rule sets. */
export const updatesSettings = (body: string): boolean => /\bpg_settings\b/i.test(body) && /\bupdate\b/i.test(body);
/** Tables, indexes and sequences change no meaning of what is sealed; those that have the name of a sealed table are hot by it. */
const CHANGES_SCHEMA = new RegExp(
  String.raw`\b(?:create|alter|drop)\s+(?:(?:or\s+replace|temp|temporary|recursive|constraint|default)\s+)*` +
    String.raw`(?:cast|type|domain|function|procedure|routine|aggregate|operator|view|materialized|rule|trigger|schema|extension|transform|policy)\b`,
  'i',
);

/** Whether a body changes the catalog in such a way that texts and values could mean something else. */
export function changesSchema(body: string): boolean {
  return CHANGES_SCHEMA.test(body);
}
