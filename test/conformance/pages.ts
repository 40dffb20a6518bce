/** Lists that come in pages: how each is filled, and what tells its items apart. */
import { type Json } from '../support/kms/calls.ts';
import { CALLER, type TestKms } from '../support/kms/edge.ts';
import { done, freshAlias } from './calls.ts';

export const ITEMS = 7;

export type Listing = {
  /** Fills a list of a listener of its own, and gives what it is asked for with. */
  readonly fill: (kms: TestKms) => Promise<Json>;
  readonly items: string;
  readonly name: (item: Json) => unknown;
  /** `ITEMS` unless told. */
  readonly count?: number;
};

const times = async (work: (n: number) => Promise<unknown>): Promise<void> => {
  for (let n = 0; n < ITEMS; n += 1) await work(n);
};

async function grants(kms: TestKms): Promise<string> {
  const KeyId = await kms.key();
  const principals = { GranteePrincipal: CALLER.principal, RetiringPrincipal: CALLER.principal };
  await times(() => done(kms, 'CreateGrant', { KeyId, ...principals, Operations: ['Encrypt'] }));
  return KeyId;
}

export const LISTINGS: Readonly<Record<string, Listing>> = {
  ListKeys: {
    fill: async (kms) => {
      await times(() => kms.key());
      return {};
    },
    items: 'Keys',
    name: ({ KeyId }) => KeyId,
  },
  ListAliases: {
    fill: async (kms) => {
      const TargetKeyId = await kms.key();
      await times(() => done(kms, 'CreateAlias', { AliasName: freshAlias(), TargetKeyId }));
      return {};
    },
    items: 'Aliases',
    name: ({ AliasName }) => AliasName,
    // `alias/aws/s3` and `alias/aws/rds` are there from the start.
    count: ITEMS + 2,
  },
  ListGrants: {
    fill: async (kms) => ({ KeyId: await grants(kms) }),
    items: 'Grants',
    name: ({ GrantId }) => GrantId,
  },
  ListRetirableGrants: {
    fill: async (kms) => {
      await grants(kms);
      return { RetiringPrincipal: CALLER.principal };
    },
    items: 'Grants',
    name: ({ GrantId }) => GrantId,
  },
  ListResourceTags: {
    fill: async (kms) => {
      const Tags = Array.from({ length: ITEMS }, (_, n) => ({ TagKey: `t${n}`, TagValue: '' }));
      return { KeyId: await kms.key({ Tags }) };
    },
    items: 'Tags',
    name: ({ TagKey }) => TagKey,
  },
  ListKeyRotations: {
    fill: async (kms) => {
      const KeyId = await kms.key();
      await times(() => done(kms, 'RotateKeyOnDemand', { KeyId }));
      return { KeyId };
    },
    items: 'Rotations',
    name: ({ KeyMaterialId }) => KeyMaterialId,
  },
  ListKeyPolicies: {
    fill: async (kms) => ({ KeyId: await kms.key() }),
    items: 'PolicyNames',
    name: (item) => item,
    count: 1,
  },
};
