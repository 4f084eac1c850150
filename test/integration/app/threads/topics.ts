import { z } from 'zod'
// The parts alone: a thread is there sooner with few modules.
import { json } from '../../../../packages/millrace/src/app/topic/codec.ts'
import { defineTopic } from '../../../../packages/millrace/src/app/topic/define-topic.ts'

export interface Task {
  readonly kind:
    | 'spin'
    | 'deaf'
    | 'wait'
    | 'send'
    | 'throw'
    | 'exit'
    | 'eat'
    | 'retry'
    | 'skip'
    | 'respond'
  readonly ms?: number
  readonly text?: string
}

export const tasks = defineTopic('tasks', { value: json<Task>(), partitions: 2 })
export const results = defineTopic('results', { value: z.object({ text: z.string() }) })
export const events = defineTopic('events', {
  value: z.discriminatedUnion('type', [
    z.object({ type: z.literal('added'), amount: z.number() }),
    z.object({ type: z.literal('cleared') }),
  ]),
})
