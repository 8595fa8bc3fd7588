/** A signal that follows others until it is unlinked. */
export interface LinkedSignal {
  /** Aborted as soon as one of the sources is, with its reason. */
  readonly signal: AbortSignal;
  /** Takes the listeners off the sources; `signal` does not follow them any more. */
  unlink(): void;
}

/**
 * `AbortSignal.any` for work that ends before its sources do. On Node 20 `any` leaves about 1.4 KB in a source for each
 * call, for as long as the source lives: with a source that lives as long as the server, that is a leak.
 */
export function linkSignals(...sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const unlink = (): void => {
    for (const source of sources) source.removeEventListener('abort', follow);
  };
  const follow = ({ target }: Event): void => abort(target as AbortSignal);
  const abort = (source: AbortSignal): void => {
    unlink();
    controller.abort(source.reason);
  };
  const aborted = sources.find((source) => source.aborted);
  if (aborted !== undefined) abort(aborted);
  else for (const source of sources) source.addEventListener('abort', follow, { once: true });
  return { signal: controller.signal, unlink };
}
