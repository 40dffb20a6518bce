/** Tags of keys: AWS's rules for them. */
import { KeysError } from '../errors.ts';
import { MAX_TAGS_PER_KEY } from '../limits.ts';
import type { Tag } from '../records.ts';

/** ERR_KEYS_TAG, in AWS's words. */
export function checkTags(tags: readonly Tag[]): void {
  if (new Set(tags.map(({ key }) => key)).size !== tags.length)
    throw new KeysError('ERR_KEYS_TAG', 'Duplicate tag keys');
  checkTagNames(tags.map(({ key }) => key));
  if (tags.length > MAX_TAGS_PER_KEY) throw new KeysError('ERR_KEYS_TAG', 'Too many tags');
}

/** Names that are AWS's own are neither given nor taken away. ERR_KEYS_TAG. */
export function checkTagNames(names: readonly string[]): void {
  if (names.some((name) => /^aws:/iu.test(name)))
    throw new KeysError('ERR_KEYS_TAG', 'Tags beginning with aws: are reserved');
}

/** `tags` with `added` among them: a name that is there gets the new value in its old place. */
export function mergeTags(tags: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const merged = new Map(tags.map(({ key, value }) => [key, value]));
  for (const { key, value } of added) merged.set(key, value);
  return [...merged].map(([key, value]) => ({ key, value }));
}

/** As conditions ask for them. Without a prototype: `__proto__` is a name like any other. */
export function tagRecord(tags: readonly Tag[]): Readonly<Record<string, string>> {
  // A null-prototype object is a Record; Object.create is typed any.
  const record = Object.create(null) as Record<string, string>;
  for (const { key, value } of tags) record[key] = value;
  return record;
}
