/** Images made FROM scratch, of programs on this machine and the shared libraries that they load. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GenericContainer, getContainerRuntimeClient, ImageName } from 'testcontainers';

const run = promisify(execFile);

export type ImageParts = {
  readonly name: string;
  /** Files and folders: where they lie here, where they go in the image. */
  readonly copies: readonly (readonly [from: string, to: string])[];
  /** Programs whose shared libraries are needed. */
  readonly programs: readonly string[];
  readonly texts: Readonly<Record<string, string>>;
  /** What the container runs. */
  readonly command: readonly string[];
};

/** The user of the image; `/data` is its folder, and the only one that it may write to. */
const USER = 70;
const PASSWD = `root:x:0:0::/:/bin/sh\nserver:x:${USER}:${USER}::/data:/bin/sh\n`;

/** The image, built where the engine does not have it yet. */
export async function imageOf(parts: ImageParts): Promise<GenericContainer> {
  const copies = [...parts.copies, ...(await librariesOf(parts.programs))];
  const dockerfile = [
    'FROM scratch',
    'COPY root/ /',
    `COPY --chown=${USER}:${USER} data/ /data/`,
    'ENV PATH=/bin',
    `USER ${USER}:${USER}`,
    `CMD ${JSON.stringify(parts.command)}`,
  ].join('\n');
  const texts = { ...parts.texts, 'etc/passwd': PASSWD, 'etc/group': `server:x:${USER}:\n` };
  const tag = `localhost/sealgate-test-${parts.name}:${await fingerprint(copies, [dockerfile, JSON.stringify(texts)])}`;
  const { image } = await getContainerRuntimeClient();
  if (!(await image.exists(ImageName.fromString(tag)))) await build(tag, dockerfile, copies, texts);
  return new GenericContainer(tag);
}

async function build(
  tag: string,
  dockerfile: string,
  copies: ImageParts['copies'],
  texts: ImageParts['texts'],
): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'sealgate-image-'));
  const root = join(context, 'root');
  try {
    await mkdir(join(context, 'data'));
    for (const [from, to] of copies)
      await cp(await realpath(from), join(root, to), { recursive: true, verbatimSymlinks: true });
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    await writeFile(join(context, 'data', '.keep'), '');
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await GenericContainer.fromDockerfile(context).build(tag, { deleteOnExit: false });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** What the dynamic linker finds for them, where it finds it. */
async function librariesOf(programs: readonly string[]): Promise<ImageParts['copies']> {
  const found = new Set<string>();
  for (const program of programs) {
    const { stdout } = await run('ldd', [program]);
    for (const [path] of stdout.matchAll(/\/\S+/gu)) if (/^\/(?:usr\/)?lib/u.test(path)) found.add(path);
  }
  return [...found].map((path) => [path, path]);
}

/** Sizes and times stand for contents: the image is a cache, made anew when a package or a library changes. */
async function fingerprint(copies: ImageParts['copies'], texts: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [from, to] of copies) {
    const { size, mtimeMs } = await stat(from);
    hash.update(`${from} ${to} ${size} ${mtimeMs}\n`);
  }
  for (const text of texts) hash.update(text);
  return hash.digest('hex').slice(0, 16);
}

/** The folders of an npm package and of all that it depends on, as [folder, place below node_modules]. */
export async function packageClosure(root: string, name: string): Promise<readonly (readonly [string, string])[]> {
  const found = new Map<string, string>();
  const visit = async (one: string): Promise<void> => {
    if (found.has(one)) return;
    const folder = join(root, 'node_modules', one);
    found.set(one, folder);
    // The manifest of an installed package.
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>;
    };
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      // A version of its own lies inside the package, and comes with it.
      if (!(await stat(join(folder, 'node_modules', dependency)).catch(() => undefined))) await visit(dependency);
    }
  };
  await visit(name);
  return [...found].map(([one, folder]) => [folder, one]);
}
