/** Who began an upload, and whose it is: the gateway, to the backend. S3 has both in lists of uploads and of parts. */
import { ownerContent, parseOwner } from './list-page.ts';
import type { XmlContent, XmlTree } from './xml-tree.ts';

export const madeBy = (row: XmlTree): Record<'Initiator' | 'Owner', XmlContent | undefined> => ({
  Initiator: ownerContent(parseOwner(row, 'Initiator')),
  Owner: ownerContent(parseOwner(row)),
});
