import type { SourceDocument } from './document.ts';
import type { LoadedModel, ProjectConfig } from './model.ts';

/** A model's file together with where its values stand, for checks that look at several files. */
export interface ReadModel extends LoadedModel {
  document: SourceDocument;
}

/** Files that fit the schema each by itself; whether they fit together is for `check.ts`. */
export interface ReadProject {
  /** Absolute. */
  folder: string;
  document: SourceDocument;
  config: ProjectConfig;
  models: ReadModel[];
}
