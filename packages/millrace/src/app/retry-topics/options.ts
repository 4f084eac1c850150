import type { Duration } from '../../kit/index.ts'

/**
 * A failing message is moved into a topic of its own for each delay, shortest first, so that its partition goes on; `retries` in
 * place come first (0 by default). Then the dead letter topic, or what `exhausted` says.
 */
export type RetryTopicsOption = readonly Duration[] | RetryTopicsOptions

export interface RetryTopicsOptions {
  /** How long a message waits before its second, third... try; never less. Each is a topic `<topic>-retry-<group>-<delay>`. */
  readonly delays: readonly Duration[]
  /**
   * `'key'`: while a message waits, later ones of its key are parked behind it, so that a key keeps its order. What waits is
   * known from one more topic, `<topic>-retry-<group>-parked`. Default: what failed is overtaken.
   */
  readonly order?: 'key'
  /** For creating the topics: how long copies are kept. Longer than any outage of the workers. Default `'14d'`. */
  readonly retention?: Duration
}

export const retryTopicDefaults = { retention: '14d' } as const
