import type { Clock } from '@slipway/kit/clock';
import type { Owner } from '@slipway/kit/machine';
import type { Context } from '../../../wire/service.ts';
import { GreetingExists, GreetingNotFound } from './errors.ts';
import type { GreetingStore } from './store.ts';

interface Parts {
  readonly greetings: GreetingStore;
  readonly clock: Clock;
}
interface Named {
  readonly GreetingName: string;
}
interface Create extends Named {
  readonly Words: readonly string[];
}

const arnOf = ({ account, region }: Owner, name: string): string =>
  `arn:aws:hello:${region}:${account}:greeting/${name.toLowerCase()}`;

/** An operation is one function of its input and the context; the wire has checked the input against the model. */
export const greetingOperations = ({ greetings, clock }: Parts) => ({
  CreateGreeting({ GreetingName, Words }: Create, { owner }: Context) {
    const arn = arnOf(owner, GreetingName);
    const isNew = greetings.insert(owner, { name: GreetingName, words: Words, createdAt: clock.now() });
    if (!isNew) throw new GreetingExists(arn);
    return { GreetingArn: arn };
  },

  DescribeGreeting({ GreetingName }: Named, { owner }: Context) {
    const greeting = greetings.get(owner, GreetingName);
    if (greeting === undefined) throw new GreetingNotFound(GreetingName);
    return {
      GreetingName: greeting.name,
      GreetingArn: arnOf(owner, greeting.name),
      Words: greeting.words,
      CreationTime: new Date(greeting.createdAt),
    };
  },

  DeleteGreeting({ GreetingName }: Named, { owner }: Context) {
    if (!greetings.remove(owner, GreetingName)) throw new GreetingNotFound(GreetingName);
    return {};
  },
});
