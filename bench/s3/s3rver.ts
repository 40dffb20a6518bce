/** s3rver in a process of its own, until its parent goes. */
import { startS3rver } from '../../test/support/s3/s3rver.ts';

const store = await startS3rver();
process.on('disconnect', () => {
  void store.close().then(() => process.exit(0));
});
process.send?.({ port: Number(new URL(store.url).port) });
