/** Who we are towards an upstream that takes AWS signatures. */
import { z } from 'zod';
import { exactlyOne, path, text } from './common.ts';

const staticCredentials = exactlyOne(
  z.strictObject({
    type: z.literal('static'),
    accessKeyId: text('Access key id at the upstream.'),
    secretAccessKey: text('Its secret; write `${NAME}` to take it from the environment.').optional(),
    secretAccessKeyFile: path('File that holds the secret.').optional(),
    sessionToken: text('Session token of temporary credentials.').optional(),
  }),
  ['secretAccessKey', 'secretAccessKeyFile'],
).describe('One fixed identity.');

const defaultCredentials = z
  .strictObject({
    type: z.literal('default'),
    profile: text('Profile of ~/.aws/config and ~/.aws/credentials.').optional(),
  })
  .describe(
    'The AWS default chain: environment, profiles, web identity, container, instance metadata; renewed as they expire.',
  );

export const credentials = z.discriminatedUnion('type', [staticCredentials, defaultCredentials]);
