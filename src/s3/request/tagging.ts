/** Tags as the header `x-amz-tagging` has them: the form of a URL's query. */
import { encodeUri } from '../../sigv4/percent-encoding.ts';

export type Tag = readonly [key: string, value: string];

/** A space as `%20`, since not every backend reads a plus as one. */
export const formatTags = (tags: readonly Tag[]): string => tags.map((tag) => tag.map(encodeUri).join('=')).join('&');

export const parseTagging = (header: string | undefined): readonly Tag[] => [...new URLSearchParams(header ?? '')];
