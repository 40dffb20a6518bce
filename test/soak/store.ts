/** The soak's store, in a process of its own: what it holds on to is not the gateway's. Prints its port. */
import { startS3rver } from '../support/s3/s3rver.ts';

const store = await startS3rver({ buckets: ['sealed', 'plain'] });
process.on('disconnect', () => void store.close().then(() => process.exit(0)));
process.send?.(store.url);
