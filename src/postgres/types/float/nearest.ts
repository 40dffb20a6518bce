/** The float4 nearest to a decimal text: rounding a double again may go wrong where that lies halfway between two. */
import { parseDecimal } from '../decimal-text.ts';
import { compareToDouble } from './exact.ts';

export function nearestFloat4(text: string): number {
  const double = Number(text);
  const once = Math.fround(double);
  if (!Number.isFinite(double) || once === double) return once;
  const other = Math.fround(double > once ? nextFloat4(once, 1) : nextFloat4(once, -1));
  // Only exactly between two floats does the double not know on which side the text lies.
  if (double - once !== other - double) return once;
  const side = compareToDouble(parseDecimal(text), double);
  if (side === 0) return once;
  return side > 0 ? Math.max(once, other) : Math.min(once, other);
}

function nextFloat4(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value === 0 ? 0 : value);
  const bits = view.getInt32(0);
  if (value === 0) view.setInt32(0, direction > 0 ? 1 : 0x80000001 | 0);
  else view.setInt32(0, bits + (value > 0 === direction > 0 ? 1 : -1));
  return view.getFloat32(0);
}
