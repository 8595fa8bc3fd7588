import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { linkSignals } from './signals.ts';

describe('linked signals', () => {
  it('are aborted with the reason of the first source that is', () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const { signal } = linkSignals(one.signal, other.signal);
    expect(signal.aborted).toBe(false);
    other.abort('other');
    one.abort('one');
    expect(signal.reason).toBe('other');
  });

  it('are aborted from the start when a source is', () => {
    const source = new AbortController();
    const { signal } = linkSignals(source.signal, AbortSignal.abort('before'));
    expect(signal.reason).toBe('before');
    expect(getEventListeners(source.signal, 'abort')).toEqual([]);
  });

  it('leave nothing in a source that outlives them', () => {
    const [source, brief] = [new AbortController(), new AbortController()];
    const unlinked = linkSignals(source.signal);
    unlinked.unlink();
    linkSignals(source.signal, brief.signal);
    brief.abort();
    expect(getEventListeners(source.signal, 'abort')).toEqual([]);
    source.abort();
    expect(unlinked.signal.aborted).toBe(false);
  });
});
