/** The headers an object is stored with, from what the AWS CLI prints, or its envelope alone. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { ENVELOPE_METADATA_NAME } from '../../envelope/object/object-envelope.ts';
import type { CommandIo } from '../command.ts';
import { cannotRead, CliError } from '../errors.ts';

/** `headers`: as HTTP has them, lower-case; undefined where only the envelope was given. */
export type StoredHeaders = {
  readonly envelope: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
};

const HEAD = z.looseObject({
  ContentType: z.string().optional(),
  ContentEncoding: z.string().optional(),
  ContentDisposition: z.string().optional(),
  ContentLanguage: z.string().optional(),
  CacheControl: z.string().optional(),
  /** The AWS CLI rewrites `Expires`; this is the header itself. */
  ExpiresString: z.string().optional(),
  WebsiteRedirectLocation: z.string().optional(),
  Metadata: z.record(z.string(), z.string()),
});

/** Errors: ERR_CLI_USAGE, ERR_CLI_READ. */
export function readStoredHeaders(
  values: { readonly head?: string | undefined; readonly envelope?: string | undefined },
  { cwd }: Pick<CommandIo, 'cwd'>,
): StoredHeaders {
  const { head, envelope } = values;
  if (envelope !== undefined && head === undefined) return { envelope, headers: undefined };
  if (head === undefined || envelope !== undefined)
    throw new CliError('ERR_CLI_USAGE', 'give either --head or --envelope');
  const headers = httpHeaders(parseHead(head, cwd));
  const found = headers[ENVELOPE_METADATA_NAME];
  if (found === undefined)
    throw new CliError('ERR_CLI_READ', `${head} has no metadata \`sealgate\`: the object is not sealed`);
  return { envelope: found, headers };
}

function parseHead(name: string, cwd: string): z.infer<typeof HEAD> {
  const text = readHead(name, cwd);
  try {
    return HEAD.parse(JSON.parse(text));
  } catch (cause) {
    throw new CliError('ERR_CLI_READ', `${name} is not what \`aws s3api head-object\` prints`, { cause });
  }
}

function readHead(name: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, name), 'utf8');
  } catch (cause) {
    throw cannotRead(name, cause);
  }
}

function httpHeaders(head: z.infer<typeof HEAD>): Record<string, string> {
  const named: Record<string, string | undefined> = {
    'content-type': head.ContentType,
    'content-encoding': head.ContentEncoding,
    'content-disposition': head.ContentDisposition,
    'content-language': head.ContentLanguage,
    'cache-control': head.CacheControl,
    expires: head.ExpiresString,
    'x-amz-website-redirect-location': head.WebsiteRedirectLocation,
  };
  for (const [name, value] of Object.entries(head.Metadata)) named[`x-amz-meta-${name.toLowerCase()}`] = value;
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
