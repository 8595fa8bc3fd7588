import type { Path } from './document.ts';

// The keys that something acts on today. A key that the schema knows and this table does not is refused with a sentence
// that says so: a setting that is silently ignored (a shadow that never runs, an approval window that never closes) is
// worse than none. Whoever builds what a key asks for adds it here. `*` is any name, `**` is everything below.

const SERVE = ['endpoint', 'mode', 'instance', 'count', 'image'];
const TRAIN = ['image', 'entry', 'instance', 'timeout', 'objective.metric', 'objective.goal', 'hyperparameters.**'];
const GATE = [
  'primary.metric',
  'primary.maxRegression',
  'primary.minImprovement',
  'primary.confidence',
  'floor.*',
  'guardrails.*.maxRegression',
  'minRows',
  'onInconclusive',
];

const under = (prefix: string, keys: readonly string[]): string[] => keys.map((key) => `${prefix}.${key}`);

export const ACTED_IN_PROJECT: readonly string[] = [
  'project',
  'models',
  'registry',
  ...under('environments.*', ['account', 'region', 'target', 'endpointUrl', 'role', 'bucket', 'requires', 'approvers']),
  ...under('endpoints.*', SERVE),
  ...under('defaults.serve', SERVE),
  ...under('defaults.train', TRAIN),
  ...under('defaults.gate', GATE),
];

export const ACTED_IN_MODEL: readonly string[] = [
  'model',
  'task',
  'owner',
  'inputs',
  ...under('data', ['files', 'prepare', 'target', 'id', 'group']),
  ...under('data.split', ['by', 'column', 'train', 'validation', 'test', 'stratify', 'seed']),
  ...under('train', TRAIN),
  ...under('evaluate', ['entry', 'metrics']),
  ...under('gate', GATE),
  ...under('serve', SERVE),
];

/** Where only some of the values that the schema knows are acted on. */
export const ACTED_VALUES: Readonly<Record<string, readonly string[]>> = {
  task: ['regression', 'binary'],
  'data.split.by': ['random', 'group', 'time'],
  // A random split of a binary task is always stratified.
  'data.split.stratify': ['true'],
  'serve.mode': ['realtime', 'multi-model'],
  'gate.onInconclusive': ['hold'],
  'endpoints.*.mode': ['realtime', 'multi-model'],
  'defaults.serve.mode': ['realtime', 'multi-model'],
  'defaults.gate.onInconclusive': ['hold'],
};

type Match = 'acted' | 'inside' | 'not yet';

function matchOne(pattern: readonly string[], path: readonly string[]): Match {
  for (let i = 0; i < path.length; i++) {
    if (pattern[i] === '**') return 'acted';
    if (pattern[i] === undefined) return 'acted';
    if (pattern[i] !== '*' && pattern[i] !== path[i]) return 'not yet';
  }
  return pattern.length === path.length || pattern[path.length] === '**' ? 'acted' : 'inside';
}

function best(patterns: readonly string[], path: readonly string[]): Match {
  let found: Match = 'not yet';
  for (const pattern of patterns) {
    const match = matchOne(pattern.split('.'), path);
    if (match === 'acted') return 'acted';
    if (match === 'inside') found = 'inside';
  }
  return found;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export interface NotYet {
  path: Path;
  /** The value that nothing acts on; absent when it is the key as a whole. */
  value?: string;
}

/** The keys and values of a file that are understood and acted on by nothing yet, each at its topmost place. */
export function notYetActed(value: unknown, acted: readonly string[]): NotYet[] {
  const found: NotYet[] = [];
  const walk = (node: unknown, path: string[]): void => {
    if (!isMap(node)) return;
    for (const [key, child] of Object.entries(node)) {
      const here = [...path, key];
      const match = best(acted, here);
      if (match === 'not yet') found.push({ path: here });
      else if (match === 'inside') walk(child, here);
      else if (typeof child === 'string' || typeof child === 'boolean') {
        const values = Object.entries(ACTED_VALUES).find(([pattern]) => best([pattern], here) === 'acted')?.[1];
        if (values !== undefined && !values.includes(String(child))) found.push({ path: here, value: String(child) });
      }
    }
  };
  walk(value, []);
  return found;
}
