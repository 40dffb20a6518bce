/** `interval '1' hour` for a sealed column: a whole number of one field is the interval '1 hour', and nothing of it is cut off. */
import type { A_Const, TypeCast } from 'libpg-query';
import { storedType } from '../../columns/stored-type.ts';
import type { SealedColumn } from '../../plan.ts';
import type { Analysis } from '../query/analysis.ts';
import { tokenSpan } from '../text/call-places.ts';
import { builtinName, locationOf, namesOf } from '../text/syntax.ts';
import { replaceType } from './casts.ts';
import { typeNameSpan } from './constants.ts';

/** By INTERVAL_MASK of the field (src/include/utils/datetime.h), which the grammar makes the type's modifier. */
const FIELDS: ReadonlyMap<number, string> = new Map([
  [1 << 1, 'month'],
  [1 << 2, 'year'],
  [1 << 3, 'day'],
  [1 << 10, 'hour'],
  [1 << 11, 'minute'],
  [1 << 12, 'second'],
]);
const WHOLE_NUMBER = /^\s*[+-]?\d+\s*$/;

/** The constant that it stands for; undefined: it is another cast. Of other fields and texts the server cuts off what is below them. */
export function ofOneField(analysis: Analysis, cast: TypeCast, column: SealedColumn): A_Const | undefined {
  const { arg } = cast;
  const field = fieldOf(cast);
  if (column.type.name !== 'interval' || field === undefined || arg === undefined || !('A_Const' in arg))
    return undefined;
  const text = arg.A_Const.sval?.sval;
  if (text === undefined || !WHOLE_NUMBER.test(text)) return undefined;
  const { source } = analysis;
  // In front of a constant the field is behind that, else behind the type.
  const ahead = cast.location === -1 ? locationOf(arg.A_Const) : typeNameSpan(source, cast).start;
  const word = (source.tokenAt(ahead) ?? source.tokens.length) + 1;
  if (source.tokenText(word).toLowerCase() !== field) return undefined;
  // The constant is another than the text has.
  analysis.literalsMatter = true;
  replaceType(analysis, cast, storedType(column).name, column);
  analysis.edit({ ...tokenSpan(source, word), replacement: '' });
  return { ...arg.A_Const, sval: { sval: `${text.trim()} ${field}` } };
}

function fieldOf({ typeName }: TypeCast): string | undefined {
  if (builtinName(namesOf(typeName?.names)) !== 'interval' || (typeName?.arrayBounds ?? []).length > 0)
    return undefined;
  const [mask, ...more] = typeName?.typmods ?? [];
  const bits = mask !== undefined && 'A_Const' in mask ? mask.A_Const.ival?.ival : undefined;
  return bits === undefined || more.length > 0 ? undefined : FIELDS.get(bits);
}
