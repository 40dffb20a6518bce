/** What a body that brings more bytes than it announced is answered with, framed or not. */
import { S3Error } from '../errors.ts';

export const tooLong = (): S3Error =>
  new S3Error('ERR_S3_INCOMPLETE_BODY', 'The request body is longer than announced.');
