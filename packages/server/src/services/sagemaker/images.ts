import { ValidationException } from '../../wire/errors.ts';
import type { Engine, RuntimeImage } from '../../engine/engine.ts';

/** The runtime of an image. @throws ValidationException that names how to extend the table of images */
export function imageOf(engine: Engine, uri: string): RuntimeImage {
  try {
    return engine.image(uri);
  } catch (error) {
    if (error instanceof Error && error.name === 'UnknownImage') throw new ValidationException(error.message);
    throw error;
  }
}
