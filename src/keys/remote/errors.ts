/** What goes wrong with a key manager elsewhere (`keys.remote`). */
import type { ErrorCatalogue } from '../../errors.ts';
import { KEYS_EXIT } from '../exit-code.ts';

export const REMOTE_ERRORS = {
  ERR_KEYS_REMOTE_UNAVAILABLE: {
    says: 'The remote key manager does not answer.',
    why: 'It cannot be reached, its certificate is not one that `keys.remote.tls.caFile` vouches for or names another host, it takes too long, or it says that it cannot serve now.',
    fix: 'The message says which. Data keys that are cached stay in use until their age ends; after that nothing is opened until it answers.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_REMOTE_REFUSED: {
    says: 'The remote key manager does not accept who we are.',
    why: 'The access key is unknown or expired there, the signature does not fit (secret, region, clock), or the client certificate stands for nobody.',
    fix: 'Compare `keys.remote.credentials`, `keys.remote.region` and the clocks, or the client certificate, with what the other end knows.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_REMOTE_PROTOCOL: {
    says: 'The remote key manager answered with something else than an answer of KMS.',
    why: 'The endpoint is not a key manager, or a proxy before it answers in its place.',
    fix: 'Check `keys.remote.endpoint`.',
    exit: KEYS_EXIT,
  },
  ERR_KEYS_ELSEWHERE: {
    says: 'The keys are managed elsewhere.',
    why: 'The configuration names a remote key manager (`keys.remote`); the store here holds no keys of its own.',
    fix: 'Run the command where the keys are, or use `aws kms --endpoint-url`.',
    exit: KEYS_EXIT,
  },
} as const satisfies ErrorCatalogue;
