import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { publishedSchemas } from '@slipway/delivery/project';

test('the published JSON Schemas are those of the definition that checks the files', () => {
  for (const [name, schema] of Object.entries(publishedSchemas())) {
    const published = readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), 'utf8');
    expect(JSON.parse(published), `${name} is stale: run \`npm run schema\``).toEqual(schema);
  }
});
