/** Exit code of a command that the key manager ended. */
export const KEYS_EXIT = 5;
