/**
 * Asynchronous work on many things, a few at a time, answers in order. Where something fails nothing more is begun, and it rejects when all
 * that was begun is over: what still ran then would run into what comes next.
 */
export async function mapBounded<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const failures: unknown[] = [];
  const results = new Array<R>(items.length);
  // One iterator shared by all workers: each takes the next item when it is done.
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      await work(item).then(
        (result) => (results[index] = result),
        (error: unknown) => failures.push(error),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
