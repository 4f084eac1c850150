import { Consumer, type AnyTopic, type Topic } from 'millrace'

/** What all consumers of this application have in common. */
export abstract class ApplicationConsumer<
  T extends AnyTopic = Topic,
  Mode extends 'each' | 'batch' = 'each',
> extends Consumer<T, Mode> {}
