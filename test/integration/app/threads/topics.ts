import { z } from 'zod'
import { defineTopic, json } from '../../../../packages/millrace/src/index.ts'

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
