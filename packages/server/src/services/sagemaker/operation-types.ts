import type * as SageMaker from '@aws-sdk/client-sagemaker';
import type { HandlersOf, InputOf, OutputOf } from '../../wire/handlers-of.ts';

/** The types of SageMaker's operations, from the official client. */
export type Operations = Partial<HandlersOf<typeof SageMaker>>;
export type Input<Name extends string> = InputOf<typeof SageMaker, Name>;
export type Output<Name extends string> = OutputOf<typeof SageMaker, Name>;
