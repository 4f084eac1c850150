import { failure } from '../../errors/index.ts'
import { nearest, uuidV7 } from '../../kit/index.ts'
import { connect, type ConnectOptions } from '../admin/connect.ts'
import { currentConfig } from '../config/current-config.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import { cronTimes } from './cron.ts'
import { RecurringRecords, recurringTopics, type RunRecord } from './records.ts'

export interface RecurringStatus {
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly isEnabled: boolean
  /** Null when it is disabled. */
  readonly nextDueAt: Date | null
  /** The run that goes on now. */
  readonly running: { readonly since: Date; readonly worker: string } | null
}

/** Recurring jobs from outside of the worker that runs them: a console, a script, an admin page. */
export interface Recurring extends AsyncDisposable {
  /** As the worker that ran last has announced them. */
  list(): Promise<readonly RecurringStatus[]>
  /** Due times pass without a run while it is disabled. @throws MR_RECURRING_UNKNOWN */
  enable(job: string): Promise<void>
  /** @throws MR_RECURRING_UNKNOWN */
  disable(job: string): Promise<void>
  /** One run as soon as the worker sees it, also of a disabled job; after the one that runs now. @throws MR_RECURRING_UNKNOWN */
  trigger(job: string): Promise<void>
  /** The last runs, newest first. @param options.job - of this job alone */
  runs(options?: { readonly job?: string; readonly limit?: number }): Promise<readonly RunRecord[]>
  close(): Promise<void>
}

/**
 * @throws MR_APP_NO_CONFIG, MR_CONFIG_INVALID
 * @example
 * await using recurring = openRecurring({ config: { clientId: 'shop' } })
 * await recurring.trigger('reindex')
 */
export function openRecurring(
  options: Omit<ConnectOptions, 'brokers' | 'cluster'> = {},
): Recurring {
  const config = options.config ?? currentConfig()
  const { client, wireName } = connect({ config })
  const resolved = resolveConfig(config, { env: process.env })
  const topics = recurringTopics(resolved.options.clientId ?? 'millrace')
  const [jobsTopic, logTopic] = [wireName(topics.jobs), wireName(topics.log)]
  const producer = client.producer()

  const records = async (): Promise<RecurringRecords> => {
    const found = new RecurringRecords()
    await using reader = client.reader({ topics: [jobsTopic] })
    for await (const { key, value } of reader) found.add(key, value)
    return found
  }
  const write = async (kind: string, job: string, value: object): Promise<void> => {
    const { states } = await records()
    if (!states.has(job))
      throw failure('MR_RECURRING_UNKNOWN', { job, near: nearest(job, states.keys()) })
    const record = { key: `${kind}/${job}`, value: JSON.stringify(value) }
    await producer.send({ topic: jobsTopic, partition: 0, ...record })
  }
  const close = (): Promise<void> => client.close({ timeoutMs: 1000 })
  return {
    async list() {
      const found = await records()
      return Array.from(found.states, ([name, { cron, timeZone, running, throughMs }]) => {
        const isEnabled = found.isEnabled(name)
        const next = isEnabled ? cronTimes(cron, timeZone).next(throughMs) : undefined
        return {
          name,
          cron,
          timeZone,
          isEnabled,
          nextDueAt: next === undefined ? null : new Date(next),
          running:
            running === null
              ? null
              : { since: new Date(running.startedAtMs), worker: running.worker },
        }
      }).toSorted((left, right) => (left.name < right.name ? -1 : 1))
    },
    enable: (job) => write('enabled', job, { isEnabled: true }),
    disable: (job) => write('enabled', job, { isEnabled: false }),
    trigger: (job) => write('request', job, { id: uuidV7() }),
    async runs({ job, limit = 100 } = {}) {
      const found: RunRecord[] = []
      const from = job === undefined ? -limit : 'earliest'
      await using reader = client.reader({ topics: [logTopic], from })
      for await (const { value } of reader) {
        const record = JSON.parse(value?.toString() ?? 'null') as RunRecord | null
        if (record !== null && (job === undefined || record.job === job)) found.push(record)
      }
      return found.toReversed().slice(0, limit)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
