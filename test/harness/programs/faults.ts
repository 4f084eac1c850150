/**
 * A worker that has an effect in SQLite for each message, and kills itself with SIGKILL at a step of a given message.
 * Argument: brokers, topic, group, `file` of the database; `mode` of its effects; `dieAt` step and offset.
 *
 * Steps, in their order: received, effect, returned, marked, committed.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  monitor,
  startWorker,
  type ConsumerDefinition,
} from '../../../packages/millrace/src/app/index.ts'
import { sqlInbox, upsert } from '../../../packages/millrace/src/sqlite/index.ts'

export interface FaultArguments {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly file: string
  readonly mode: 'plain' | 'upsert' | 'inbox'
  readonly dieAt?: { readonly step: string; readonly offset: number }
}

const {
  brokers,
  topic: name,
  group,
  file,
  mode,
  dieAt,
} = JSON.parse(process.argv[2] ?? '{}') as FaultArguments

const database = new DatabaseSync(file)
const topic = defineTopic(name, {
  value: json<{ readonly entity: string; readonly n: number }>(),
})

function at(step: string, offset: number): void {
  if (step === dieAt?.step && offset >= dieAt.offset) process.kill(process.pid, 'SIGKILL')
}

/** So that commits come in between. */
const handlerMs = 3
const common = { topic, group, commit: { interval: '20ms' } } as const

function consumer(): ConsumerDefinition {
  if (mode === 'inbox')
    return defineConsumer({
      ...common,
      inbox: sqlInbox(database),
      async each({ value, offset }, { tx }) {
        at('received', offset)
        await wait(handlerMs)
        tx.prepare('insert into effects (entity, n) values (?, ?)').run(value.entity, value.n)
        at('effect', offset)
      },
    })
  return defineConsumer({
    ...common,
    async each({ value, offset }) {
      at('received', offset)
      await wait(handlerMs)
      const { entity, n } = value
      if (mode === 'upsert')
        upsert(database, 'states', [{ entity, n }], { key: 'entity', version: n })
      else database.prepare('insert into effects (entity, n) values (?, ?)').run(entity, n)
      at('effect', offset)
    },
  })
}

monitor.subscribe({
  onConsumerDuplicate: ({ offset }) => say({ duplicate: offset }),
  onJobFinished: ({ offset }) => at('returned', offset),
  onOffsetsMarked: ({ offset }) => at('marked', offset),
  onOffsetsCommitted: ({ offsets }) =>
    at('committed', Math.max(...offsets.map((one) => one.offset))),
})
const worker = await startWorker({
  brokers,
  clientId: 'faults',
  // Static, so that the next process is not kept waiting for the session of the one that was killed.
  instanceId: 'only',
  groupId: (_clientId, own) => own,
  fetch: { maxWait: '50ms' },
  app: defineApp({ consumers: [consumer()] }),
})
say({ state: worker.state })

function say(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`)
}
