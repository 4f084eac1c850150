/**
 * A worker with one job that runs each minute of a quick clock and, told so, never ends. Prints a JSON line for each run.
 * Argument: brokers, clientId, names of both topics' suffix and group, factor and start of the clock.
 */
import {
  defineApp,
  defineRecurring,
  startWorker,
} from '../../../packages/millrace/src/app/index.ts'
import { quickClock } from '../quick-clock.ts'

interface Arguments {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly factor: number
  readonly startMs: number
  readonly realStartMs: number
  readonly missed: 'once' | 'none'
}

const given = JSON.parse(process.argv[2] ?? '{}') as Arguments
const { factor, startMs, realStartMs, missed } = given

const job = defineRecurring('tidy', {
  cron: '* * * * *',
  missed,
  async run({ dueAt, reason }) {
    process.stdout.write(`${JSON.stringify({ dueAt, reason })}\n`)
    await new Promise(() => {})
  },
})
await startWorker(
  {
    brokers: given.brokers,
    clientId: given.clientId,
    session: '6s',
    heartbeat: '300ms',
    app: defineApp({ recurring: { tick: '20ms', jobs: [job] } }),
  },
  { createTopics: true, log: false, clock: quickClock(factor, startMs, realStartMs) },
)
