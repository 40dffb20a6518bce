/** docs/S3-CONFORMANCE.md: the comparison in front of Ceph RGW, the fullest S3 at hand. */
import { CEPH } from './backends.ts';
import { comparedInFrontOf } from './compared-in-front-of.ts';

comparedInFrontOf(CEPH);
