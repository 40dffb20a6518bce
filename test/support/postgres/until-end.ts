/** Where a client stops to read that cannot count the answers to what it has said. */
import type { RawClient, RawMessage } from './proxy.ts';

/** Said last, in a Query of its own. */
export const END = 'SELECT 424242';

/** All that is said up to the end of the answer to `END`, or until the connection ends. */
export async function untilEnd(on: RawClient): Promise<RawMessage[]> {
  const messages: RawMessage[] = [];
  for (let isEnd = false; ;) {
    const next = await on.message();
    if (next === undefined) return messages;
    messages.push(next);
    isEnd ||= next.type === 'D' && next.body.includes('424242');
    if (isEnd && next.type === 'Z') return messages;
  }
}
