import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import { Distribution } from './cells.ts'
import { defineMetric, labelFields, on } from './define-metric.ts'
import { mergeExposed } from './merge.ts'
import { renderMetrics } from './metrics.ts'
import { openExposition } from './prometheus.ts'
import { Recorder } from './recorder.ts'
import { datagrams, StatsdLines, type Samples, type StatsdFlavour } from './statsd.ts'
import { metricTable, prometheusName } from './table.ts'

const place = {
  group: 'accounts',
  groupId: 'shop_accounts',
  consumer: 'UsersConsumer',
  topic: 'users',
  partition: 0,
}
const job = { ...place, offset: 42, messages: 1, attempt: 1 }
const finish = (durationMs: number, partition = 0): void =>
  events.jobFinished.publish({
    ...job,
    partition,
    durationMs,
    result: 'done',
    timeLagMs: 5,
    lag: 1,
  })

function recorder(names: readonly string[]): Recorder & Disposable {
  const rows = metricTable.filter(({ name }) => names.includes(name))
  assert.equal(rows.length, names.length)
  const made = new Recorder(rows, 'shop')
  return Object.assign(made, { [Symbol.dispose]: () => made.stop() })
}

async function scrape(from: Recorder): Promise<readonly string[]> {
  const text = await openExposition(from, 'millrace').render()
  return text.split('\n').filter((line) => line.startsWith('millrace_'))
}

function linesOf(from: Recorder, flavour: StatsdFlavour, tags: readonly string[] = []): string[] {
  const samples: Samples = (cell) => cell.takeSamples()
  return [
    ...new StatsdLines({ flavour, prefix: 'millrace', tags }).take(from.families(), samples),
  ].toSorted()
}

describe('the table of metrics', () => {
  it('has each name once, here and in Prometheus, in words that both take', () => {
    const names = metricTable.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    const shown = metricTable.map((row) => prometheusName(row))
    assert.equal(new Set(shown).size, shown.length)
    for (const name of names) assert.match(name, /^[a-z_]+(\.[a-z_]+)+$/)
    for (const name of shown) assert.match(name, /^millrace_[a-z_]+$/)
  })

  it('says of each what it is and where it comes from', () => {
    for (const { name, about, labels, sources, partition, process } of metricTable) {
      assert.match(about, /\.$/, name)
      assert.ok(sources.length > 0 || partition || process, name)
      for (const label of labels) assert.ok(label in labelFields, `${name} ${label}`)
    }
  })

  it('takes no label that an event cannot fill', () => {
    const row = { name: 'a.b', type: 'counter', about: '.' } as const
    // @ts-expect-error a heartbeat is about no topic
    defineMetric({ ...row, labels: ['group', 'topic'] }, on(events.heartbeat))
    // @ts-expect-error one of two events is about no partition
    defineMetric({ ...row, labels: ['partition'] }, on(events.heartbeat), on(events.jobSlow))
    defineMetric({ ...row, labels: ['client', 'group'] }, on(events.heartbeat), on(events.jobSlow))
  })
})

describe('metrics', () => {
  it('add up in Prometheus, times in seconds', async () => {
    using counted = recorder(['consumer.messages', 'consumer.process'])
    finish(70)
    finish(3)
    finish(400_000, 1)
    const lines = await scrape(counted)
    const of = (partition: number): string =>
      `client="shop",group="shop_accounts",consumer="UsersConsumer",topic="users",partition="${partition}"`
    assert.ok(lines.includes(`millrace_consumer_messages_total{${of(0)}} 2`))
    assert.ok(lines.includes(`millrace_consumer_messages_total{${of(1)}} 1`))
    const name = 'millrace_consumer_process_seconds'
    const bucket = (le: string, partition = 0): string | undefined =>
      lines.find((line) => line.startsWith(`${name}_bucket{${of(partition)},le="${le}"}`))
    assert.equal(bucket('0.001')?.split(' ')[1], '0')
    assert.equal(bucket('0.005')?.split(' ')[1], '1')
    assert.equal(bucket('0.1')?.split(' ')[1], '2')
    assert.equal(bucket('300', 1)?.split(' ')[1], '0')
    assert.equal(bucket('+Inf', 1)?.split(' ')[1], '1')
    assert.ok(lines.includes(`${name}_sum{${of(0)}} 0.073`))
    assert.ok(lines.includes(`${name}_count{${of(0)}} 2`))
  })

  it('are read when somebody asks, where no event tells', async () => {
    using counted = recorder([
      'consumer.lag',
      'consumer.time_lag',
      'consumer.broker_lag',
      'producer.queued',
    ])
    const end = counted.addReadings({
      process: () => ({ clientId: 'shop', queued: 7 }),
      partitions: () => [
        {
          clientId: 'shop',
          groupId: 'shop_accounts',
          consumer: 'users',
          topic: 'users',
          partition: 3,
          lag: 12,
          timeLagMs: 1500,
          brokerLag: undefined,
          position: 1,
          state: 'running',
        },
      ],
    })
    const labels =
      'client="shop",group="shop_accounts",consumer="users",topic="users",partition="3"'
    assert.deepEqual(await scrape(counted), [
      `millrace_consumer_lag{${labels}} 12`,
      `millrace_consumer_time_lag_seconds{${labels}} 1.5`,
      'millrace_producer_queued{client="shop"} 7',
    ])
    end()
    assert.deepEqual(await scrape(counted), [])
  })

  it('call consumers by their names, as status and scale file do', async () => {
    using counted = recorder(['consumer.seeks'])
    counted.addReadings({
      process: () => ({ clientId: 'shop', queued: 0 }),
      partitions: () => [],
      nameOf: (title) => (title === 'UsersConsumer' ? 'users' : undefined),
    })
    events.partitionSeek.publish({ ...place, to: '7' })
    assert.match((await scrape(counted))[0] ?? '', /consumer="users"/)
  })

  it('do not count what a handler asked for as an error', async () => {
    using counted = recorder(['consumer.errors'])
    const at = { topic: 'users', partition: 0, offset: 42 }
    const asked = failure('MR_APP_RETRY_ASKED', { ...at, consumer: 'users' })
    events.consumerFailed.publish({ ...job, error: asked, nextInMs: 1 })
    events.consumerFailed.publish({ ...job, error: new Error('no'), nextInMs: 1 })
    assert.match((await scrape(counted)).join(), / 1$/)
  })

  it('are bounded: beyond ten thousand series the rest is one', async () => {
    using counted = recorder(['consumer.seeks'])
    for (let partition = 0; partition < 10_100; partition++)
      events.partitionSeek.publish({ ...place, partition, to: '7' })
    const lines = await scrape(counted)
    assert.equal(lines.length, 10_001)
    assert.match(lines.at(-1) ?? '', /topic="other",partition="other"} 100$/)
  })

  it('cannot be shown while nothing is counted', async () => {
    await assert.rejects(renderMetrics(), { code: 'MR_METRICS_OFF' })
  })

  it('listen to nothing once they have stopped', () => {
    recorder(['consumer.seeks'])[Symbol.dispose]()
    assert.equal(events.partitionSeek.isHeard, false)
  })
})

describe('metrics of several processes', () => {
  it('stand together by family, told apart by the worker', () => {
    const one =
      '# HELP a help\n# TYPE a counter\na{x="1"} 1\n\n# HELP b help\n# TYPE b gauge\nb 5\n'
    const other = '# HELP a help\n# TYPE a counter\na{x="1"} 2\n'
    const merged = mergeExposed([
      { worker: 'worker:1', text: one },
      { worker: 'worker:2', text: other },
    ])
    assert.equal(
      merged,
      '# HELP a help\n# TYPE a counter\na{worker="worker:1",x="1"} 1\na{worker="worker:2",x="1"} 2\n\n' +
        '# HELP b help\n# TYPE b gauge\nb{worker="worker:1"} 5\n',
    )
    assert.equal(mergeExposed([]), '')
  })
})

describe('StatsD', () => {
  it('is told differences, gauges and single times; labels are words of the name', () => {
    using counted = recorder(['consumer.messages', 'consumer.process', 'client.unreachable'])
    counted.keepSamples()
    finish(70)
    finish(3.25)
    events.clusterUnreachable.publish({
      clientId: 'shop',
      cluster: 'main',
      addresses: [],
      reason: '',
    })
    const at = 'shop.shop_accounts.UsersConsumer.users.0'
    assert.deepEqual(linesOf(counted, 'statsd'), [
      'millrace.client.unreachable.shop.main:1|g',
      `millrace.consumer.messages.${at}:2|c`,
      `millrace.consumer.process.${at}:3.25|ms`,
      `millrace.consumer.process.${at}:70|ms`,
    ])
  })

  it('is told each difference once', () => {
    using counted = recorder(['consumer.messages'])
    const lines = new StatsdLines({ flavour: 'statsd', prefix: '', tags: [] })
    const take = (): readonly string[] =>
      lines.take(counted.families(), (cell) => cell.takeSamples())
    finish(1)
    assert.equal(take().length, 1)
    assert.deepEqual(take(), [])
    finish(1)
    assert.match(take()[0] ?? '', /^consumer\.messages\..*:1\|c$/)
  })

  it('has tags in the dialect of Datadog', () => {
    using counted = recorder(['consumer.messages', 'consumer.batch_size'])
    counted.keepSamples()
    events.jobFinished.publish({
      ...job,
      groupId: 'a,b|c',
      durationMs: 1,
      result: 'done',
      timeLagMs: 1,
      lag: 1,
    })
    const tags = 'client:shop,group:a_b_c,consumer:UsersConsumer,topic:users'
    assert.deepEqual(linesOf(counted, 'dogstatsd', ['env:test']), [
      `millrace.consumer.batch_size:1|h|#${tags},env:test`,
      `millrace.consumer.messages:1|c|#${tags},partition:0,env:test`,
    ])
  })

  it('is told of some of many times, and how many they stand for', () => {
    const cell = new Distribution([1], true)
    for (let at = 0; at < 640; at++) cell.add(at)
    const { values, rate } = cell.takeSamples()
    assert.equal(values.length, 64)
    assert.equal(rate, 0.1)
    assert.equal(cell.count, 640)
    assert.deepEqual(cell.takeSamples(), { values: [], rate: 1 })
  })

  it('gets as few datagrams as the lines fit into', () => {
    const line = 'x'.repeat(700)
    assert.deepEqual(datagrams([line, line, line]), [`${line}\n${line}`, line])
    assert.deepEqual(datagrams([]), [])
    assert.deepEqual(datagrams(['y'.repeat(2000), 'z']), ['y'.repeat(2000), 'z'])
  })
})
