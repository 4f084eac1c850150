/**
 * A worker as a process of its own, with signals. Prints a JSON line for each handler call's begin and end.
 * Argument: brokers, topic, group; `handlerMs` a call takes, `ignoresSignal`, `shutdownTimeout`, `commitInterval`,
 * `session`; `leaves` an unhandled rejection behind at this offset.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  startWorker,
  text,
} from '../../../packages/millrace/src/app/index.ts'

interface Arguments {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly handlerMs?: number
  readonly ignoresSignal?: boolean
  readonly shutdownTimeout?: string
  readonly commitInterval?: string
  readonly leaves?: number
  readonly session?: string
}

const given = JSON.parse(process.argv[2] ?? '{}') as Arguments
const { handlerMs = 0, ignoresSignal = false } = given

const consumer = defineConsumer({
  topic: defineTopic(given.topic, { value: text() }),
  group: given.group,
  commit: { interval: given.commitInterval ?? '1h' },
  async each({ partition, offset, value }, { signal, send }) {
    say({ began: offset, partition })
    if (offset === given.leaves) void Promise.reject(new Error('left behind'))
    if (handlerMs > 0) await wait(handlerMs, undefined, ignoresSignal ? {} : { signal })
    if (value.startsWith('send to ')) await send(value.slice(8), { value: `from ${offset}` })
    say({ finished: offset, partition })
  },
})

const worker = await startWorker({
  brokers: given.brokers,
  clientId: 'program',
  groupId: (_clientId, group) => group,
  fetch: { maxWait: '100ms' },
  ...(given.session === undefined ? {} : { session: given.session, heartbeat: '200ms' }),
  worker: { shutdownTimeout: given.shutdownTimeout ?? '20s' },
  app: defineApp({
    consumers: [consumer],
    hooks: { beforeClose: () => say({ hook: 'beforeClose' }) },
  }),
})
say({ state: worker.state })

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
