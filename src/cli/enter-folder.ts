/** The command that enters a folder, as it can be pasted into a shell. */

const USUAL = /^[\w./:-]+$/u;
/** The separator of paths there, and no shell's escape. */
const USUAL_ON_WINDOWS = /^[\w./\\:-]+$/u;

export function enterFolder(path: string, platform: NodeJS.Platform): string {
  // Else an option; and even after `--` the name `-` is the folder before.
  const word = path.startsWith('-') ? `./${path}` : path;
  const usual = platform === 'win32' ? USUAL_ON_WINDOWS : USUAL;
  return `cd ${usual.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`}`;
}
