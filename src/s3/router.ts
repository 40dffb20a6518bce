/**
 * Which S3 operation a request is. A request that no row of the table fits, or that carries a parameter we do not know, is `Unknown`:
 * wherever a rule applies it is refused, since a backend might take it for something else than we do.
 */
import type { S3Headers, S3Query } from './operation.ts';
import type { S3OperationName } from './operation-names.ts';
import type { Place } from './request/target.ts';
import { BUCKET_ROUTES, OBJECT_ROUTES, PARAMETERS, SERVICE_ROUTES, SUBRESOURCES, type Route } from './routes.ts';

export type Routable = Place & { readonly method: string; readonly query: S3Query; readonly headers: S3Headers };

export function routeOperation(request: Routable): S3OperationName {
  const found = routesFor(request).find((route) => fits(route, request));
  if (found === undefined) return 'Unknown';
  const selected = new Set(found.query.map(nameOf));
  const known = [...request.query.keys()].every((name) => selected.has(name) || isHarmless(name));
  return known ? found.operation : 'Unknown';
}

function routesFor(place: Place): readonly Route[] {
  if (place.bucket === '') return SERVICE_ROUTES;
  return place.key === '' ? BUCKET_ROUTES : OBJECT_ROUTES;
}

function fits(route: Route, request: Routable): boolean {
  if (route.method !== request.method) return false;
  if (route.header !== undefined && request.headers[route.header] === undefined) return false;
  return route.query.every((wanted) => {
    const value = request.query.get(nameOf(wanted));
    return value !== undefined && (!wanted.includes('=') || wanted === `${nameOf(wanted)}=${value}`);
  });
}

const nameOf = (wanted: string): string => wanted.split('=')[0] ?? '';

/** Known parameters that select nothing, and `x-...`, which S3 ignores (`x-id` comes from every AWS SDK). */
function isHarmless(name: string): boolean {
  return PARAMETERS.has(name) || (!SUBRESOURCES.has(name) && /^x-/iu.test(name));
}
