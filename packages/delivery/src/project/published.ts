import { z } from 'zod';
import { modelFile, projectFile } from './files.ts';

/** A JSON Schema (draft 2020-12), as much of it as this code looks into. */
export interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
}

function print(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    // Every whole number would carry JavaScript's own bounds, which say nothing to a reader.
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  }) as JsonSchema;
}

/** The schemas that editors use, by file name, printed from the definition that checks the files. */
export function publishedSchemas(): { 'project.schema.json': JsonSchema; 'model.schema.json': JsonSchema } {
  return { 'project.schema.json': print(projectFile), 'model.schema.json': print(modelFile) };
}
