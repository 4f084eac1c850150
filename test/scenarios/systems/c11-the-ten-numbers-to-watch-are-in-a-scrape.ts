/**
 * Every metric that the page "watch these ten", the alert rules and the dashboard name is in a scrape, and moves when what it warns of happens:
 * a message fails, time lag rises, a dead letter is sent, a partition blocks, a handler is slow.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { defineConsumer, defineTopic, internals } from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const page = new URL('../../../docs/guides/monitoring.md', import.meta.url)
const orders = defineTopic('orders')
const refunds = defineTopic('refunds')

class Samples {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The sum over all series of a name whose labels contain all of these. */
  sum(name: string, ...labels: readonly string[]): number {
    return this.text
      .split('\n')
      .filter(
        (line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)),
      )
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
}

await scenario({ topics: { orders: {}, 'orders-dlt': {}, refunds: {} } }, async (scene) => {
  let isBroken = true
  const billing = defineConsumer({
    topic: orders,
    group: 'billing',
    retries: 1,
    backoff: '10ms',
    deadLetter: true,
    slowAfter: '20ms',
    async each({ offset }) {
      await wait(offset === 1 ? 100 : 0)
      if (offset === 0) throw new Error('no customer')
    },
  })
  const refunding = defineConsumer({
    topic: refunds,
    group: 'refunding',
    retries: 0,
    exhausted: 'block',
    each() {
      if (isBroken) throw new Error('no money')
    },
  })
  const { start } = scenarioApp(
    scene,
    { consumers: [billing, refunding] },
    {
      metrics: { prometheus: { port: 0 } },
      health: { port: 0, lagInterval: '100ms' },
    },
  )
  await using worker = await start()
  const scrapeOf = async (address: string | undefined): Promise<Samples> => {
    const answer = await fetch(`http://${address}/metrics`)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    return new Samples(await answer.text())
  }
  const scrape = (): Promise<Samples> => scrapeOf(worker.metricsAddress)
  let last = await scrape()
  scene.watch('scrape', () => last.text)
  const billed = `group="${scene.group('billing')}"`
  const refunded = `group="${scene.group('refunding')}"`

  assert.equal(last.sum('millrace_worker_running', 'client="scenario"'), 1)
  const long = Date.now() - 90_000
  await scene.send('orders', [{ value: '1' }, { value: '2' }, { value: '3' }])
  await scene.send('refunds', [{ value: '1', timestamp: long }, { value: '2' }])
  await scene.until('everything happened', async () => {
    last = await scrape()
    return (
      last.sum('millrace_deadletter_sent_total', billed) === 1 &&
      last.sum('millrace_consumer_slow_total', billed) === 1 &&
      last.sum('millrace_consumer_blocked', refunded) === 1
    )
  })
  assert.equal(last.sum('millrace_consumer_errors_total', billed), 2)
  assert.equal(last.sum('millrace_consumer_errors_total', refunded), 1)
  assert.equal(last.sum('millrace_consumer_lag', refunded), 2)
  const late = last.sum('millrace_consumer_time_lag_seconds', refunded)
  assert.ok(late >= 90 && late < 180, `as late as its oldest message: ${late} s`)
  assert.ok(last.sum('millrace_group_rebalances_total', billed) >= 1)
  await scene.until('time lag goes on rising while nothing moves', async () => {
    last = await scrape()
    return last.sum('millrace_consumer_time_lag_seconds', refunded) > late
  })
  await worker.commit()
  await scene.until('the brokers know it too', async () => {
    last = await scrape()
    return last.text.includes('millrace_consumer_broker_lag{')
  })

  isBroken = false
  worker.resume('refunds', 0)
  await scene.until('all is well again', async () => {
    last = await scrape()
    const names = [
      'millrace_consumer_time_lag_seconds',
      'millrace_consumer_blocked',
      'millrace_consumer_lag',
    ]
    return names.every((name) => last.sum(name, refunded) === 0)
  })

  const text = await readFile(page, 'utf8')
  const namedIn = (one: string): ReadonlySet<string> =>
    new Set(one.match(/\bmillrace_[a-z_]+\b/g) ?? [])
  const onPage = namedIn(text)
  const inRules = namedIn(JSON.stringify(internals.alertRules()))
  const onDashboard = namedIn(JSON.stringify(internals.grafanaDashboard()))
  const named = onPage.union(inRules).union(onDashboard)
  assert.ok(onPage.size >= 14, [...onPage].join())
  for (const name of inRules)
    assert.ok(onPage.has(name.replace(/_bucket$/, '')), `${name} is on the page`)
  for (const name of named) {
    const family = name.replace(/_bucket$/, '')
    // Without a store there is none of its series, but its name is there.
    assert.match(last.text, new RegExp(`^# TYPE ${family} `, 'm'), name)
  }
  const port = Number(worker.metricsAddress?.split(':').at(-1))
  await assert.rejects(start({ flags: { 'metrics.prometheus.port': port } }), {
    code: 'MR_METRICS_LISTEN',
  })
  const beside = await scrapeOf(worker.healthAddress)
  assert.match(
    beside.text,
    /^# TYPE millrace_worker_running gauge$/m,
    'the health endpoint has it too',
  )
})
