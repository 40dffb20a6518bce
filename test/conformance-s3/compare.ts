/** What differs between two answers, field by field. */
import type { AnswerTree } from './answer-tree.ts';
import type { Case } from './case.ts';
import type { Found } from './differences/difference.ts';

export function differencesOf({ operation, what }: Case, direct: AnswerTree, gateway: AnswerTree): readonly Found[] {
  const places = new Set([...direct.keys(), ...gateway.keys()]);
  return [...places].flatMap((where) => {
    const [one, other] = [direct.get(where) ?? '', gateway.get(where) ?? ''];
    const isSame = one === other && direct.has(where) === gateway.has(where);
    return isSame ? [] : [{ operation, what, where, direct: one, gateway: other }];
  });
}
