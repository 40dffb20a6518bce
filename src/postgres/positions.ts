/** Where an error of the server, which saw the statement rewritten, is in the text that the client wrote. */
import type { SealedPlan } from './plan.ts';

/** 1-based characters both; undefined where it falls into text of ours, or behind what has another length upstream than is known here. */
export function clientPosition(
  position: number,
  { pieces, piecePlaces }: Pick<SealedPlan, 'pieces' | 'piecePlaces'>,
): number | undefined {
  if (!(position >= 1)) return undefined;
  let before = 0;
  for (const [index, piece] of pieces.entries()) {
    if (typeof piece !== 'string') return undefined;
    const length = [...piece].length;
    const place = piecePlaces[index];
    if (position <= before + length) return place === undefined ? undefined : place + (position - before - 1);
    before += length;
  }
  return undefined;
}
