import { fileURLToPath } from 'node:url';

/** The folder of a project template that ships with this package. */
export function templateFolder(name: 'demo' | 'init'): string {
  return fileURLToPath(new URL(`../templates/${name}`, import.meta.url));
}

/** A Python script that ships with this package. */
export function pythonScript(name: 'predict_plainly.py'): string {
  return fileURLToPath(new URL(`../python/${name}`, import.meta.url));
}
