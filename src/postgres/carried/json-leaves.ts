/** The columns whose values stand in JSON of a shape, in its order; undefined for what nothing sealed is in. */
import type { JsonShape, SealedColumn } from '../plan.ts';

export function leavesOf(shape: JsonShape): readonly (SealedColumn | undefined)[] {
  switch (shape.is) {
    case 'plain':
      return [undefined];
    case 'value':
      return [shape.column];
    case 'list':
      return leavesOf(shape.items);
    case 'map':
      return leavesOf(shape.values);
    case 'tuple':
      return shape.items.flatMap(leavesOf);
    case 'object':
      return shape.members.flatMap((member) => leavesOf(member.shape));
  }
}
