import { ValidationException } from '../../wire/errors.ts';
import type { Engine, RuntimeImage } from '../../engine/engine.ts';

/** The runtime of an image. @throws ValidationException that names how to extend the table of images */
export function imageOf(engine: Engine, uri: string): RuntimeImage {
  try {
    return engine.image(uri);
  } catch (error) {
    throw new ValidationException(error instanceof Error ? error.message : String(error));
  }
}
