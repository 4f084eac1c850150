import type { Message } from '../message/message.ts'

/** Messages of one scope are handled in order; null has no order. */
export type OrderScope = string | number | bigint | boolean | Buffer | null

export type OrderBy = (message: Message) => OrderScope

export interface LaneOptions {
  /**
   * Handler calls at once for one partition; messages of one key keep their order, as does whatever `orderBy` names.
   * All partitions of the process share `worker.concurrency`. Default 1: the whole partition in order.
   */
  readonly concurrency?: number
  /**
   * With `concurrency` above 1, which messages must follow each other: those for which it returns the same. Default:
   * the bytes of the key. A message without a key, and one for which it returns null, has no order; `null` instead of a
   * function: none has. When it throws or returns undefined, the message joins one common scope, in order with all such.
   */
  readonly orderBy?: OrderBy | null
  /**
   * Most messages between the first unfinished one and the newest taken; at it, nothing new starts, so that a message in
   * back-off does not let the others run away from it for ever. Default 10,000.
   */
  readonly window?: number
}

export const laneDefaults = { concurrency: 1, window: 10_000 } as const

/** What a plan holds of them. */
export interface LaneRules {
  readonly size: number
  readonly orderBy: OrderBy | null | undefined
  readonly window: number
}
