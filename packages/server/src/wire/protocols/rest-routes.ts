import type { Model } from '../model.ts';
import type { Head } from './protocol.ts';

interface Route {
  readonly operation: string;
  readonly method: string;
  readonly path: RegExp;
  readonly labels: readonly string[];
  /** Query parameters that the model's URI fixes: `?acl`, `list-type=2`. */
  readonly literals: readonly (readonly [string, string | undefined])[];
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
}

export interface RouteMatch {
  readonly operation: string;
  /** Percent-encoded, by the label's name in the URI. */
  readonly labels: ReadonlyMap<string, string>;
}

/** Finds a REST operation by method, path and query, from the model's `requestUri`s alone. */
export class RestRoutes {
  readonly #routes: readonly Route[];

  constructor(model: Model) {
    this.#routes = Object.keys(model.operations).map((operation) => compile(model, operation));
  }

  /**
   * Of the routes whose path and fixed query parameters match, the one with most of those; then, of twins such as
   * PutObject, UploadPart and CopyObject, the one with most required parameters that are there.
   */
  find(head: Head): RouteMatch | undefined {
    let best: { route: Route; match: RegExpExecArray; rank: number } | undefined;
    for (const route of this.#routes) {
      if (route.method !== head.method || !route.literals.every(([key, value]) => hasQuery(head, key, value))) continue;
      const match = route.path.exec(head.path);
      if (match === null) continue;
      const rank = route.literals.length * 1000 + rankOfRequired(route, head);
      if (best === undefined || rank > best.rank) best = { route, match, rank };
    }
    if (best === undefined) return undefined;
    const values = best.match.slice(1);
    return {
      operation: best.route.operation,
      labels: new Map(best.route.labels.map((label, index) => [label, values[index] ?? ''])),
    };
  }
}

/** Positive when all that the operation requires is there, else below every operation that requires nothing. */
function rankOfRequired(route: Route, head: Head): number {
  const required = route.requiredQuery.length + route.requiredHeaders.length;
  const isThere =
    route.requiredQuery.every((name) => head.query.has(name)) &&
    route.requiredHeaders.every((name) => head.headers[name] !== undefined);
  return isThere ? required : -required;
}

const hasQuery = (head: Head, key: string, value: string | undefined): boolean =>
  value === undefined ? head.query.has(key) : head.query.get(key) === value;

function compile(model: Model, operation: string): Route {
  const { http, input } = model.operations[operation] as NonNullable<Model['operations'][string]>;
  const [path = '/', query = ''] = http.requestUri.split('?', 2);
  const labels: string[] = [];
  const pattern = path.replace(/\{(\w+)(\+?)\}|[^{}]+/g, (text, label: string | undefined, greedy: string) => {
    if (label === undefined) return text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
    labels.push(label);
    return greedy === '+' ? '(.+)' : '([^/]+)';
  });
  const shape = input === undefined ? undefined : model.structure(input.shape);
  const bound = (location: string): string[] =>
    (shape?.required ?? []).flatMap((name) => {
      const ref = shape?.members[name];
      return ref?.location === location ? [ref.locationName ?? name] : [];
    });
  return {
    operation,
    method: http.method,
    // A trailing slash is taken too: `PUT /bucket/` makes a bucket.
    path: new RegExp(`^${pattern.replace(/\/$/, '')}/?$`, 's'),
    labels,
    literals: query === '' ? [] : query.split('&').map(literal),
    requiredQuery: bound('querystring'),
    requiredHeaders: bound('header').map((name) => name.toLowerCase()),
  };
}

function literal(text: string): readonly [string, string | undefined] {
  const [key = '', value] = text.split('=', 2);
  return [key, value];
}
