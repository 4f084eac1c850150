import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  defineApp,
  defineConfig,
  defineRecurring,
  openRecurring,
  startWorker,
  type MillraceConfig,
  type RecurringContext,
} from '../../../packages/millrace/src/app/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { deferred } from '../../../packages/millrace/src/kit/index.ts'
import { events } from '../../../packages/millrace/src/telemetry/index.ts'
import { startTestBroker, type TestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { quickClock } from '../../harness/quick-clock.ts'
import { until } from '../../harness/until.ts'

/** A minute in a fifth of a second; yesterday, since brokers refuse what comes from the future. */
const factor = 300
const startMs = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 24 * 3_600_000

function appWith(
  broker: TestBroker,
  run: (context: RecurringContext) => unknown,
  more: { readonly version?: number; readonly missed?: 'once' | 'none' } = {},
): MillraceConfig {
  const { version = 0, missed = 'once' } = more
  const job = defineRecurring('tidy', { cron: '* * * * *', missed, run })
  return {
    clientId: 'shop',
    brokers: [broker.address],
    session: '6s',
    heartbeat: '100ms',
    app: defineApp({ recurring: { version, tick: '10ms', jobs: [job] } }),
  }
}

const quiet = { signals: false, env: {}, log: false, createTopics: true } as const

describe('a recurring job', () => {
  it('runs once for each minute, in one of two workers, and goes on when that one stops', async () => {
    await using broker = await startTestBroker()
    const runs: string[] = []
    const workers: string[] = []
    const clock = quickClock(factor, startMs)
    const start = (name: string) =>
      startWorker(
        appWith(broker, ({ dueAt, reason }) => {
          runs.push(dueAt.toISOString())
          workers.push(name)
          assert.ok(reason === 'due' || reason === 'missed')
        }),
        { ...quiet, clock },
      )
    await using second = await start('first').then(async (first) => {
      await using _first = first
      await until('the first one runs it', () => runs.length >= 2)
      const other = await start('second')
      await until('it goes on', () => runs.length >= 5)
      return other
    })
    assert.equal(second.state, 'running')
    const before = runs.length
    assert.deepEqual([...new Set(workers)], ['first'], 'the newcomer takes nothing away')
    await until('the second one runs it', () => workers.includes('second'))
    await until('it goes on there', () => runs.length >= before + 3)
    assert.equal(new Set(runs).size, runs.length, 'no due time twice')
    assert.ok(runs.every((at) => at.endsWith(':00.000Z')))
  })

  it('is told as failed, once for each time, and not tried again before the next', async () => {
    await using broker = await startTestBroker()
    const failed: unknown[] = []
    const stop = events.recurringFailed.subscribe((one) => failed.push(one))
    const config = appWith(broker, () => {
      throw new RangeError('no disk')
    })
    {
      await using worker = await startWorker(config, {
        ...quiet,
        clock: quickClock(factor, startMs),
      })
      assert.equal(worker.state, 'running')
      await until('it has failed twice', () => failed.length >= 2)
    }
    stop()
    const [first] = failed as { readonly error: Error; readonly job: string }[]
    assert.ok(isFailure(first?.error, 'MR_RECURRING_FAILED'))
    assert.match(String(first?.error.cause), /no disk/)
    await using recurring = openRecurring({ config })
    const runs = await recurring.runs()
    assert.equal(runs[0]?.result, 'failed')
    assert.equal(runs[0]?.error, 'RangeError: no disk')
  })

  it('is listed, disabled, enabled, and run by hand', async () => {
    await using broker = await startTestBroker()
    const reasons: string[] = []
    const config = defineConfig(
      appWith(broker, ({ reason }) => void reasons.push(reason), { missed: 'none' }),
    )
    await using worker = await startWorker(config, {
      ...quiet,
      clock: quickClock(factor, startMs),
    })
    assert.equal(worker.state, 'running')
    await until('it runs', () => reasons.length > 0)
    await using recurring = openRecurring()
    await recurring.disable('tidy')
    await until('it is off', async () => (await recurring.list())[0]?.isEnabled === false)
    const [listed] = await recurring.list()
    assert.deepEqual(
      [listed?.name, listed?.cron, listed?.timeZone, listed?.nextDueAt],
      ['tidy', '* * * * *', 'UTC', null],
    )
    await recurring.trigger('tidy')
    await until('it runs by hand all the same', () => reasons.includes('hand'))
    const count = reasons.length
    await recurring.enable('tidy')
    await until('it runs again', () => reasons.length > count)
    assert.equal(reasons.filter((reason) => reason === 'hand').length, 1)
    await assert.rejects(recurring.trigger('tidi'), (error) => {
      assert.ok(isFailure(error, 'MR_RECURRING_UNKNOWN'))
      assert.match(error.message, /did you mean tidy/)
      return true
    })
  })

  it('belongs to the newer schedule as soon as that is there, and to the older one after it', async () => {
    await using broker = await startTestBroker()
    const clock = quickClock(factor, startMs)
    const ran: number[] = []
    const start = (version: number) =>
      startWorker(
        appWith(broker, () => void ran.push(version), { version }),
        { ...quiet, clock },
      )
    await using _old = await start(1)
    await until('the old one runs it', () => ran.at(-1) === 1)
    {
      await using _new = await start(2)
      await until('the new one runs it', () => ran.at(-1) === 2)
      const count = ran.length
      await until('it stays there', () => ran.length >= count + 2)
      assert.deepEqual([...new Set(ran.slice(count))], [2])
    }
    const count = ran.length
    await until('the deploy is taken back', () => ran.length > count && ran.at(-1) === 1)
  })

  it('finishes what runs before its worker stops, and is aborted when that takes too long', async () => {
    await using broker = await startTestBroker()
    const begun = deferred()
    const finish = deferred()
    let isAborted = false
    const config = appWith(broker, async ({ signal }) => {
      begun.resolve()
      await Promise.race([
        finish.promise,
        new Promise((resolve) => signal.addEventListener('abort', resolve)),
      ])
      isAborted = signal.aborted
    })
    const worker = await startWorker(config, { ...quiet, clock: quickClock(factor, startMs) })
    await begun.promise
    const stopping = worker.stop({ timeout: '4s' })
    await until('it is told in time', () => isAborted)
    assert.equal(await stopping, 0)
  })

  it('is refused with all its faults before anything is connected', async () => {
    const wrong = [
      defineRecurring('a b', { cron: '* * * *', run: () => undefined }),
      defineRecurring('c', { cron: '0 0 31 2 *', run: () => undefined }),
      defineRecurring('d', { cron: '@daily', timeZone: 'Mars/Base', run: () => undefined }),
    ]
    await assert.rejects(
      startWorker(
        { app: defineApp({ recurring: { version: 0.5, tick: '2m', jobs: wrong } }) },
        quiet,
      ),
      (error) => {
        assert.ok(isFailure(error, 'MR_CONFIG_INVALID'))
        assert.deepEqual(error.context['faults'], [
          'app.recurring.version: 0.5 is not a whole number from 0 on',
          'app.recurring.tick: 2m is not a duration up to a minute; write 15s',
          'recurring.a b: a name has 1 to 100 characters of A-Z a-z 0-9 . _ -',
          "recurring.a b.cron: '* * * *' is no expression of five fields, as 0 3 * * *",
          "recurring.c.cron: '0 0 31 2 *' never comes",
          "recurring.d.timeZone: 'Mars/Base' is no time zone; write Europe/Berlin",
        ])
        return true
      },
    )
  })
})
