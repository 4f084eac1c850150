import type { TopicRecord } from '../../storage/index.ts'
import { offsetsTopic, type Topics } from '../topics/topics.ts'

export class GroupCoordinator {
  readonly #topics: Topics
  constructor(options: { readonly topics: Topics }) {
    this.#topics = options.topics
  }
  ensureTopic(): Promise<TopicRecord> {
    return this.#topics.ensure(offsetsTopic, {
      partitions: 1,
      configs: { 'cleanup.policy': 'compact' },
    })
  }
  stop(): void {}
}
