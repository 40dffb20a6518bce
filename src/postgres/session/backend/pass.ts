/** Messages that belong to no statement, or carry nothing of ours: AuthenticationOk's kin, BackendKeyData, notifications. */
import { FORWARD } from '../../wire/frame-stream.ts';
import type { BackendHandler } from './handler.ts';

export const passHandler: BackendHandler = {
  need: () => 0,
  frame: () => FORWARD,
};
