/**
 * `docs/ERRORS.md`, written from every room's catalogue. `node src/cli/frame/errors-page.ts` writes it; a test keeps it in step.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../command.ts';
import { CATALOGUE, type CatalogueSection } from './catalogue.ts';

export const ERRORS_FILE = fileURLToPath(new URL('../../../docs/ERRORS.md', import.meta.url));

const HEAD = `# Errors

Written from the catalogues in the sources (\`errors.ts\` of each room) by \`node src/cli/frame/errors-page.ts\`; a test keeps it in step.

Every error has a stable code. On stderr it stands as \`sealgate: CODE message\`; S3 clients find it in the answer's XML, PostgreSQL clients in
the error's text beside the SQLSTATE, and logs in the field \`code\`. No error text holds plaintext, keys, credentials or SQL literals.

## Exit codes

| code | meaning |
| --- | --- |
| ${EXIT.ok} | done |
| ${EXIT.failure} | failed: the code on stderr says why |
| ${EXIT.usage} | the command line was not understood |
| ${EXIT.config} | the config file is wrong |
| ${EXIT.upstream} | an upstream could not be reached |
| ${EXIT.keys} | the key store could not be opened, or a key could not be used |
| ${EXIT.sigint} | ended by SIGINT before it was done (\`up\` ends with 0) |
| ${EXIT.sigterm} | ended by SIGTERM before it was done (\`up\` ends with 0) |
`;

function section({ title, errors }: CatalogueSection): string {
  const entries = Object.entries(errors).map(
    ([code, { says, why, fix, exit }]) =>
      `### ${code}\n\n**${sentence(says)}**\n\n${sentence(why)}\n\n*What to do:* ${sentence(fix)}${exit === undefined ? '' : ` *Exit code ${exit}.*`}\n`,
  );
  return `## ${title}\n\n${entries.join('\n')}`;
}

/** Catalogues differ in how they begin and end a text. */
function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = /^[a-z][a-z']* /u.test(trimmed) ? `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}` : trimmed;
  return /[.!?…)`]$/u.test(begun) ? begun : `${begun}.`;
}

export function errorsPage(catalogue: readonly CatalogueSection[] = CATALOGUE): string {
  return `${HEAD}\n${catalogue.map(section).join('\n')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ERRORS_FILE, errorsPage());
