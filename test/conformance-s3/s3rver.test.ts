/** docs/S3-CONFORMANCE-S3RVER.md: the comparison in front of s3rver, which is there on every machine. */
import { S3RVER } from './backends.ts';
import { comparedInFrontOf } from './compared-in-front-of.ts';

comparedInFrontOf(S3RVER);
