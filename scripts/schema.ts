import { mkdir, writeFile } from 'node:fs/promises';
import { publishedSchemas } from '@slipway/delivery/project';

// Prints the JSON Schemas of the project's files to docs/reference; `test/project/schema.test.ts` keeps them fresh.
const folder = new URL('../docs/reference/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, schema] of Object.entries(publishedSchemas())) {
  await writeFile(new URL(name, folder), `${JSON.stringify(schema, null, 1)}\n`);
}
