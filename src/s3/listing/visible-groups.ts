/**
 * Which of the names that a delimiter put together stand for anything a client may see. A delimiter out of `.sealgate/` itself (a dot, an
 * `s`) puts the hidden objects together under a name that is not hidden, and other keys perhaps with them: that name shows only if there
 * are others, which is looked up. At most one name of a page, and none under usual delimiters.
 */
import { HIDDEN_PREFIX } from '../../envelope/object/hidden-object.ts';
import { isHiddenKey } from './hidden-names.ts';

/** Behind every hidden key, and before every other. */
const BEHIND_HIDDEN = `${HIDDEN_PREFIX}\u{10ffff}`;

/** The first key that begins so and comes after `marker`, or from the first one on; undefined where there is none. */
export type FirstKey = (prefix: string, marker: string | undefined) => Promise<string | undefined>;

export async function visibleGroups(groups: readonly string[], firstKey: FirstKey): Promise<readonly string[]> {
  const visible: string[] = [];
  for (const group of groups) {
    if (isHiddenKey(group)) continue;
    if (!HIDDEN_PREFIX.startsWith(group) || (await hasOthers(group, firstKey))) visible.push(group);
  }
  return visible;
}

async function hasOthers(group: string, firstKey: FirstKey): Promise<boolean> {
  const first = await firstKey(group, undefined);
  if (first !== undefined && !isHiddenKey(first)) return true;
  return (await firstKey(group, BEHIND_HIDDEN)) !== undefined;
}
