// A room of its own, so that only who has an `images.yaml` loads the parser.
export { parse as parseYaml } from 'yaml';
