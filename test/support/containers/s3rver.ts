/** The S3 server `@20minutes/s3rver` in a container, on the Node that the project pins. */
import { join } from 'node:path';
import type { Backend } from '../s3/sealed.ts';
import { packageClosure } from './images.ts';
import { runImage } from './run-image.ts';

const PORT = 9000;
const root = join(import.meta.dirname, '../../..');
const SERVER = `import S3rver from '@20minutes/s3rver';
await new S3rver({ address: '0.0.0.0', port: ${PORT}, silent: true, directory: '/data', vhostBuckets: false,
  configureBuckets: JSON.parse(process.env.BUCKETS).map((name) => ({ name })) }).run();
console.log('ready');
`;

/** A store in a container of its own, or why there is none. */
export async function startS3rverContainer(buckets: readonly string[]): Promise<Backend | string> {
  const container = await runImage(async () => {
    const packages = await packageClosure(root, '@20minutes/s3rver');
    return {
      name: 's3rver',
      copies: [
        [process.execPath, '/bin/node'],
        ...packages.map(([from, name]): [string, string] => [from, `/node_modules/${name}`]),
      ],
      programs: [process.execPath],
      texts: { 'server.mjs': SERVER },
      command: ['/bin/node', '/server.mjs'],
      port: PORT,
      environment: { BUCKETS: JSON.stringify(buckets) },
      ready: 'ready',
    };
  });
  if (typeof container === 'string') return container;
  return {
    url: `http://127.0.0.1:${container.port}`,
    directory: '/data',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    close: container.stop,
  };
}
