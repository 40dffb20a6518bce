import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedNames } from './sorted-names.ts';

test('Pages are those of a sorted list, whatever is added and removed between them', () => {
  const name = fc.stringMatching(/^[a-e]{1,3}$/u);
  const step = fc.oneof(
    fc.record({ add: name }),
    fc.record({ remove: name }),
    fc.record({ after: fc.option(name, { nil: undefined }), limit: fc.integer({ min: 1, max: 5 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const names = new SortedNames();
      const naive = new Set<string>();
      for (const each of steps) {
        if ('add' in each) {
          if (!naive.has(each.add)) names.add(each.add);
          naive.add(each.add);
        } else if ('remove' in each) {
          names.delete(each.remove);
          naive.delete(each.remove);
        } else {
          const { after, limit } = each;
          const rest = [...naive].sort().filter((other) => after === undefined || other > after);
          expect(names.after(after, limit)).toEqual(rest.slice(0, limit));
        }
      }
    }),
  );
});
