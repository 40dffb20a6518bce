/** Requests that many cases make. */
import type { Answer, Side } from '../twins.ts';

export const put = (
  side: Side,
  key: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => side.done({ method: 'PUT', key, body, headers });

const status = (text: string): string =>
  `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${text}</Status></VersioningConfiguration>`;

export const VERSIONED = { method: 'PUT', query: { versioning: '' }, body: status('Enabled') } as const;
export const SUSPENDED = { ...VERSIONED, body: status('Suspended') } as const;

export const versionOf = ({ headers }: Answer): Record<string, string> => ({
  versionId: headers['x-amz-version-id'] ?? '',
});

export const document = (root: string, content: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?><${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content}</${root}>`;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const tagging = (tags: Readonly<Record<string, string>>): string => {
  const rows = Object.entries(tags).map(
    ([key, value]) => `<Tag><Key>${escaped(key)}</Key><Value>${escaped(value)}</Value></Tag>`,
  );
  return document('Tagging', `<TagSet>${rows.join('')}</TagSet>`);
};
