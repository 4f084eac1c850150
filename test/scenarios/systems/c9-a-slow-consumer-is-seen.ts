/**
 * A handler slower than its input: a warning names the job, time lag and lag rise, liveness fails, nobody rebalances, and
 * a time limit ends the handler that has one.
 */
import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { defineConsumer, defineTopic, monitor } from '../../../packages/millrace/src/app/index.ts'
import { keptLog, scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')

await scenario({ topics: { orders: {} } }, async (scene) => {
  const timeLags: number[] = []
  const aborted: boolean[] = []
  let joins = 0
  const unsubscribe = monitor.subscribe({
    onJobFinished: ({ consumer, timeLagMs }) => {
      if (consumer === 'slow') timeLags.push(timeLagMs)
    },
    onGroupJoining: () => void joins++,
  })
  const slow = defineConsumer({
    topic: orders,
    group: 'slow',
    name: 'slow',
    slowAfter: '200ms',
    each: () => wait(450),
  })
  const limited = defineConsumer({
    topic: orders,
    group: 'limited',
    name: 'limited',
    timeout: '150ms',
    backoff: '10ms',
    async each({ offset }, { signal, attempt }) {
      if (offset > 0 || attempt > 1) return
      try {
        await wait(60_000, undefined, { signal })
      } finally {
        aborted.push(signal.aborted)
      }
    },
  })
  const { lines, logger } = keptLog()
  const { start, committed } = scenarioApp(scene, { consumers: [slow, limited] })
  {
    await using worker = await start({ log: logger })
    const before = joins
    const stop = new AbortController()
    const sending = (async (): Promise<void> => {
      for (let n = 0; !stop.signal.aborted; n++) {
        await scene.send('orders', [{ value: String(n) }])
        await wait(100)
      }
    })()
    const ofSlow = (): (typeof worker.partitions)[number] | undefined =>
      worker.partitions.find(({ group }) => group === 'slow')
    await scene.until('liveness fails, and says for which job', () => {
      const { isLive, notLive } = worker.health()
      return !isLive && notLive.some((reason) => /slow orders\/0:\d+/.test(reason))
    })
    await scene.until('several are handled', () => timeLags.length >= 4)
    await scene.until('its status names the job, and those behind it wait in a row', () => {
      const { jobs = [], lag = 0 } = ofSlow() ?? {}
      return /^slow orders\/0:\d+ for \d+ s$/.test(jobs[0] ?? '') && lag >= 3
    })
    stop.abort()
    await sending
    assert.equal(joins, before, 'no rebalance')
    await scene.until('the limited one has all', () => {
      return worker.partitions.find(({ group }) => group === 'limited')?.lag === 0
    })
  }
  unsubscribe()
  assert.deepEqual(
    timeLags,
    timeLags.toSorted((left, right) => left - right),
    'the time lag rises',
  )
  const warnings = lines.filter(({ level, text }) => level === 'warn' && text.includes('slow'))
  assert.ok(warnings.length >= 3, 'one warning a slow job')
  assert.match(warnings[0]?.text ?? '', /slow.*orders\/0/)
  assert.deepEqual(aborted, [true], 'the time limit aborted its signal')
  const sent = (await scene.log('orders')).records.length
  assert.equal(await committed('limited', 'orders'), sent)
})
