/**
 * A worker with lanes as a process of its own. Prints a JSON line when a handler begins and ends, with a time that all
 * processes of the machine share. Argument: brokers, topic, group, concurrency, `handlerMs` at most.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  defineApp,
  defineConsumer,
  defineTopic,
  json,
  startWorker,
  text,
} from '../../../packages/millrace/src/app/index.ts'

interface Arguments {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly concurrency: number
  readonly handlerMs: number
}

const given = JSON.parse(process.argv[2] ?? '{}') as Arguments
const topic = defineTopic(given.topic, { key: text(), value: json<{ readonly n: number }>() })

const consumer = defineConsumer({
  topic,
  group: given.group,
  concurrency: given.concurrency,
  commit: { interval: '200ms' },
  backoff: '30ms',
  async each({ key, value, partition, offset }, { attempt }) {
    const fact = { key, n: value.n, at: `${partition}/${offset}` }
    say({ began: fact })
    await wait(Math.random() * given.handlerMs)
    // Some fail once, so that their key rests while others go on.
    if (value.n % 7 === 3 && attempt === 1) throw new Error('once')
    say({ finished: fact })
  },
})

const worker = await startWorker(
  {
    brokers: given.brokers,
    clientId: 'lanes',
    groupId: (_clientId, group) => group,
    session: '6s',
    heartbeat: '500ms',
    fetch: { maxWait: '100ms' },
    app: defineApp({ consumers: [consumer] }),
  },
  { log: false },
)
say({ state: worker.state })

function say(fact: object): void {
  const timeUs = Number(process.hrtime.bigint() / 1000n)
  process.stdout.write(`${JSON.stringify({ ...fact, timeUs })}\n`)
}
