import type { RuntimeImage } from './engine.ts';

/** What the user adds to the table: image name patterns to what they behave like. */
export type ImageExtensions = Readonly<
  Record<string, { readonly framework: RuntimeImage['framework']; readonly version: string }>
>;

/** A line of the image table. */
interface ImageEntry {
  /** An image's name without its tag; `*` stands for any characters. An entry with a tag stands for that tag only. */
  readonly image: string;
  readonly framework: RuntimeImage['framework'];
  /** The version to behave like, when the image's tag does not say it. */
  readonly version?: string;
}

/**
 * The images that Slipway knows. AWS keeps each in an account per region, so the account is not looked at; the last
 * entries are the short names that project files use.
 *
 * Source: docs.aws.amazon.com, "Docker Registry Paths and Example Code", and the SageMaker SDK's `image_uri_config`.
 */
const knownImages: readonly ImageEntry[] = [
  { image: '*.dkr.ecr.*/sagemaker-xgboost', framework: 'xgboost' },
  { image: '*.dkr.ecr.*/xgboost', framework: 'xgboost' },
  { image: '*.dkr.ecr.*/sagemaker-scikit-learn', framework: 'sklearn' },
  { image: '*.dkr.ecr.*/sagemaker-base-python*', framework: 'python' },
  { image: 'sagemaker-xgboost', framework: 'xgboost' },
  { image: 'xgboost', framework: 'xgboost' },
  { image: 'sagemaker-scikit-learn', framework: 'sklearn' },
  { image: 'scikit-learn', framework: 'sklearn' },
  { image: 'sklearn', framework: 'sklearn' },
  { image: 'python', framework: 'python' },
];

const LIBRARIES: Readonly<Record<RuntimeImage['framework'], readonly string[]>> = {
  xgboost: ['xgboost-cpu', 'xgboost'],
  sklearn: ['scikit-learn'],
  python: ['python'],
};
const LONGEST_URI_CHARACTERS = 255;

export class UnknownImage extends Error {
  override readonly name = 'UnknownImage';

  constructor(uri: string) {
    const shown = uri.slice(0, LONGEST_URI_CHARACTERS);
    super(
      `No runtime is known for the image ${shown}. The known ones are sagemaker-xgboost and sagemaker-scikit-learn of ` +
        `any account and region. To run it, say which of xgboost, sklearn or python it behaves like, with a line in ` +
        `images.yaml beside delivery.yaml: \`"${parseReference(shown).name}": {framework: python, version: "1"}\`.`,
    );
  }
}

interface Reference {
  readonly name: string;
  readonly tag: string | undefined;
}

/** `host:5000/repo:tag@sha256:…` in its parts; a colon before the last slash belongs to the host. */
function parseReference(uri: string): Reference {
  const [withTag = ''] = uri.split('@');
  const colon = withTag.indexOf(':', withTag.lastIndexOf('/') + 1);
  return colon < 0
    ? { name: withTag, tag: undefined }
    : { name: withTag.slice(0, colon), tag: withTag.slice(colon + 1) };
}

function matches(pattern: string, text: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('.*');
  return new RegExp(`^${source}$`).test(text);
}

/** `1.7-1` of `1.7-1` and of `1.2-1-cpu-py3`. */
function versionOf(tag: string | undefined): string {
  if (tag === undefined || tag === '') return 'latest';
  return /^\d+(?:\.\d+)*(?:-\d+)?/.exec(tag)?.[0] ?? tag;
}

/** Finds the runtime of an image; the user's entries come first. */
export class ImageTable {
  readonly #entries: readonly ImageEntry[];
  readonly #installed: Readonly<Record<string, string>>;

  /** @param installed versions of the job environment's packages, by lower-case name */
  constructor(own: ImageExtensions, installed: Readonly<Record<string, string>>) {
    const extensions = Object.entries(own).map(([image, entry]) => ({ image, ...entry }));
    this.#entries = [...extensions, ...knownImages];
    this.#installed = installed;
  }

  /** @throws UnknownImage which says how to extend the table */
  find(uri: string): RuntimeImage {
    if (uri.length > LONGEST_URI_CHARACTERS) throw new UnknownImage(uri);
    const { name, tag } = parseReference(uri);
    const entry = this.#entries.find(
      ({ image }) => matches(image, name) || (tag !== undefined && matches(image, `${name}:${tag}`)),
    );
    if (entry === undefined) throw new UnknownImage(uri);
    const version = entry.version ?? versionOf(tag);
    return { uri, framework: entry.framework, version, standsIn: this.#standsIn(entry.framework, version) };
  }

  #standsIn(framework: RuntimeImage['framework'], version: string): string {
    const library = LIBRARIES[framework].find((name) => this.#installed[name] !== undefined);
    if (library === undefined) return `the installed ${framework} stands in for ${version}`;
    return `${library.replace('-cpu', '')} ${this.#installed[library] ?? ''} stands in for ${version}`;
  }
}

/** Package versions from a list of pins; a package that is pinned per platform has one version here. */
export function readPins(requirements: string): Record<string, string> {
  const pins: Record<string, string> = {};
  for (const [, name, version] of requirements.matchAll(/^([\w.-]+)==([\w.]+)/gm)) {
    if (name !== undefined && version !== undefined) pins[name.toLowerCase()] = version;
  }
  return pins;
}
