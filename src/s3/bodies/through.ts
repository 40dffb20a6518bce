/** Streams with something done at each step, as plain iterators: a generator around each generator costs more than the bytes it hands on. */

type Next<T> = Promise<IteratorResult<T, unknown>>;

/** `each` is given the promise of each next item, and gives one in its place. */
export function through<From, To>(
  source: AsyncIterable<From>,
  each: (next: Next<From>) => Next<To>,
): AsyncIterable<To> {
  return {
    [Symbol.asyncIterator]: () => {
      const items = source[Symbol.asyncIterator]();
      return {
        next: () => each(items.next()),
        return: async () => {
          await items.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Each item by itself. */
export function mapped<From, To>(source: AsyncIterable<From>, map: (item: From) => To): AsyncIterable<To> {
  return through(source, async (next) => {
    const result = await next;
    return result.done === true ? result : { done: false, value: map(result.value) };
  });
}
