import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The one version whose models are in the tree. The round-trip tests use the same. */
const BOTOCORE = '1.43.11';

/** botocore's folder of each service we speak. To add a service: one line here, and `npm run models`. */
const SERVICES = ['sagemaker', 'sagemaker-runtime', 's3', 'sts', 'iam', 'logs'];

type Json = Record<string, unknown>;
interface Patch {
  readonly reason: string;
  readonly op: 'remove-operation' | 'set' | 'remove';
  /** Keys from the model's root, for example `["shapes", "BucketName", "pattern"]`. */
  readonly path: readonly string[];
  readonly value?: unknown;
}

const folder = fileURLToPath(new URL('../packages/server/models/', import.meta.url));
const keptOfShape = new Set(
  (
    'type members required member key value min max pattern enum payload flattened xmlNamespace timestampFormat ' +
    'locationName error exception sensitive union eventstream event document'
  ).split(' '),
);
const keptOfMember = new Set(
  (
    'shape location locationName streaming flattened xmlNamespace xmlAttribute timestampFormat jsonvalue hostLabel ' +
    'eventpayload eventheader queryName'
  ).split(' '),
);
const keptOfMetadata = (
  'apiVersion protocol protocols jsonVersion targetPrefix xmlNamespace signingName endpointPrefix serviceId ' +
  'awsQueryCompatible'
).split(' ');

/** Prints the raw models of all services as one JSON object, by botocore's own loader (without its SDK additions). */
const READER = `
import gzip, json, os, sys, botocore
assert botocore.__version__ == sys.argv[1], 'botocore ' + botocore.__version__
data = os.path.join(os.path.dirname(botocore.__file__), 'data')
models = {}
for service in sys.argv[2:]:
    version = sorted(os.listdir(os.path.join(data, service)))[-1]
    with gzip.open(os.path.join(data, service, version, 'service-2.json.gz')) as file:
        models[service] = json.load(file)
json.dump(models, sys.stdout)
`;

function readModels(): Record<string, Json> {
  const read = (pythonPath: string | undefined): Record<string, Json> => {
    const output = execFileSync('python3', ['-c', READER, BOTOCORE, ...SERVICES], {
      env: pythonPath === undefined ? process.env : { ...process.env, PYTHONPATH: pythonPath },
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', pythonPath === undefined ? 'ignore' : 'inherit'],
    });
    return JSON.parse(output.toString('utf8')) as Record<string, Json>;
  };
  try {
    return read(undefined);
  } catch {
    const target = mkdtempSync(join(tmpdir(), 'slipway-botocore-'));
    try {
      execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', target, `botocore==${BOTOCORE}`]);
      return read(target);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function pick(source: Json, kept: ReadonlySet<string>): Json {
  return Object.fromEntries(Object.entries(source).filter(([key]) => kept.has(key)));
}

function stripShape(shape: Json): Json {
  const stripped = pick(shape, keptOfShape);
  if (isObject(stripped['members'])) {
    stripped['members'] = Object.fromEntries(
      Object.entries(stripped['members']).map(([name, member]) => [name, pick(member as Json, keptOfMember)]),
    );
  }
  for (const key of ['member', 'key', 'value']) {
    const reference = stripped[key];
    if (isObject(reference)) stripped[key] = pick(reference, keptOfMember);
  }
  return stripped;
}

function stripOperation(operation: Json): Json {
  const stripped: Json = { http: operation['http'] };
  for (const key of ['input', 'output']) {
    const reference = operation[key];
    if (isObject(reference)) {
      stripped[key] = pick(reference, new Set([...keptOfMember, 'resultWrapper']));
    }
  }
  const errors = operation['errors'] as Json[] | undefined;
  if (errors !== undefined) stripped['errors'] = errors.map((error) => error['shape']);
  return stripped;
}

function applyPatches(service: string, model: Json): void {
  const file = join(folder, `${service}.patch.json`);
  if (!existsSync(file)) return;
  for (const patch of JSON.parse(readFileSync(file, 'utf8')) as Patch[]) {
    let parent = model;
    for (const key of patch.path.slice(0, -1)) {
      const next = parent[key];
      if (!isObject(next)) throw new Error(`${service}.patch.json: ${patch.path.join('.')} is not in the model`);
      parent = next;
    }
    const last = patch.path.at(-1) as string;
    if (patch.op === 'set') parent[last] = patch.value;
    else if (Object.hasOwn(parent, last)) delete parent[last];
    else throw new Error(`${service}.patch.json: ${patch.path.join('.')} is not in the model; drop the patch`);
  }
}

function reachableShapes(model: Json): Json {
  const shapes = model['shapes'] as Record<string, Json>;
  const reached = new Set<string>();
  const visit = (name: unknown): void => {
    if (typeof name !== 'string' || reached.has(name)) return;
    reached.add(name);
    const shape = shapes[name] as Json;
    const references = Object.values((shape['members'] as Json | undefined) ?? {});
    references.push(shape['member'], shape['key'], shape['value']);
    for (const reference of references) if (isObject(reference)) visit(reference['shape']);
  };
  for (const operation of Object.values(model['operations'] as Record<string, Json>)) {
    for (const key of ['input', 'output']) visit((operation[key] as Json | undefined)?.['shape']);
    for (const error of (operation['errors'] as string[] | undefined) ?? []) visit(error);
  }
  for (const [name, shape] of Object.entries(shapes)) if (shape['exception'] === true) visit(name);
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => reached.has(name)));
}

/** The literal first segments of a REST service's paths: what tells two services with one signing name apart. */
function firstSegments(model: Json): string[] {
  const operations = Object.values(model['operations'] as Record<string, Json>);
  const segments = operations.map((operation) => String((operation['http'] as Json)['requestUri']).split(/[/?]/)[1]);
  return [...new Set(segments)].filter((s): s is string => s !== undefined && s !== '' && !s.startsWith('{')).sort();
}

/** Operations that answer (or take) a stream of events: no protocol of ours prints one yet. */
function eventStreams(model: Json): string[] {
  const shapes = model['shapes'] as Record<string, Json>;
  const hasStream = (reference: Json | undefined): boolean =>
    Object.values((shapes[String(reference?.['shape'])]?.['members'] as Record<string, Json> | undefined) ?? {}).some(
      (member) => shapes[String(member['shape'])]?.['eventstream'] === true,
    );
  return Object.entries(model['operations'] as Record<string, Json>)
    .filter(([, o]) => hasStream(o['input'] as Json | undefined) || hasStream(o['output'] as Json | undefined))
    .map(([name]) => name);
}

mkdirSync(folder, { recursive: true });
const catalog: Json = {};
for (const [service, raw] of Object.entries(readModels())) {
  const model: Json = {
    metadata: Object.fromEntries(
      keptOfMetadata
        .filter((key) => key in (raw['metadata'] as Json))
        .map((key) => [key, (raw['metadata'] as Json)[key]]),
    ),
    operations: Object.fromEntries(
      Object.entries(raw['operations'] as Record<string, Json>).map(([name, o]) => [name, stripOperation(o)]),
    ),
    shapes: Object.fromEntries(
      Object.entries(raw['shapes'] as Record<string, Json>).map(([name, shape]) => [name, stripShape(shape)]),
    ),
  };
  applyPatches(service, model);
  model['shapes'] = reachableShapes(model);
  const text = JSON.stringify(model);
  writeFileSync(join(folder, `${service}.json`), `${text}\n`);
  const rest = String((model['metadata'] as Json)['protocol']).startsWith('rest');
  const streams = eventStreams(model);
  catalog[service] = {
    ...(model['metadata'] as Json),
    ...(rest ? { firstSegments: firstSegments(model) } : {}),
    ...(streams.length === 0 ? {} : { eventStreams: streams }),
    operations: Object.keys(model['operations'] as Json).join(' '),
  };
  console.log(`${service}: ${Object.keys(model['operations'] as Json).length} operations, ${text.length} bytes`);
}
// The template of a service has a model of its own, written by hand.
const hello = JSON.parse(readFileSync(join(folder, 'hello.json'), 'utf8')) as Json;
catalog['hello'] = { ...(hello['metadata'] as Json), operations: Object.keys(hello['operations'] as Json).join(' ') };
const note = `Made by scripts/pull-models.ts from botocore ${BOTOCORE} (Apache-2.0); do not edit.`;
writeFileSync(join(folder, 'catalog.json'), `${JSON.stringify({ note, services: catalog }, undefined, 1)}\n`);
