/**
 * Web request -> send -> handler -> its send: one trace, each span below the one that caused it, with a retry as a
 * second span beside the first. What goes through background delivery or an outbox keeps its trace; a batch begins its
 * own and links to the messages'.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import {
  defineConsumer,
  defineTopic,
  startRelay,
} from '../../../packages/millrace/src/app/index.ts'
import { sqlOutbox, transaction } from '../../../packages/millrace/src/sqlite/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders')
const mails = defineTopic('mails')
const refunds = defineTopic('refunds')

const exporter = new InMemorySpanExporter()
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
trace.setGlobalTracerProvider(provider)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const web = trace.getTracer('web')

await scenario({ topics: { orders: {}, mails: {}, refunds: {} } }, async (scene) => {
  const spans = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
  scene.watch('spans', () => spans().map(({ name, attributes }) => ({ name, attributes })))
  const failing = new TypeError('no mailbox')
  const taking = defineConsumer({
    name: 'taking',
    topic: orders,
    backoff: '10ms',
    async each({ value }, { attempt, send }) {
      if (attempt === 1) throw failing
      await Promise.resolve()
      await send(mails, { key: 'k', value })
    },
  })
  const mailing = defineConsumer({
    name: 'mailing',
    topic: mails,
    batch() {},
    fill: 'size',
    maxMessages: 2,
  })
  const refunding = defineConsumer({ name: 'refunding', topic: refunds, each() {} })
  const consumers = [taking, mailing, refunding]
  const { start, config } = scenarioApp(scene, { consumers }, { tracing: true })
  await using worker = await start()

  const request = (url: string, work: () => Promise<unknown>): Promise<void> =>
    web.startActiveSpan(url, async (span) => {
      await work()
      span.end()
    })
  await request('POST /orders', () => worker.producer.send(orders, { value: 1 }))
  await request('POST /later', async () => {
    worker.producer.enqueue(mails, { value: 2 })
    await worker.producer.flush()
  })
  const named = (name: string): readonly ReadableSpan[] =>
    spans().filter((one) => one.name === name)
  const [toOrders, toMails] = [scene.topic('orders'), scene.topic('mails')]
  await scene.until('the batch was handled', () => named(`process ${toMails}`).length === 1)

  const [first] = named('POST /orders') as [ReadableSpan]
  const [later] = named('POST /later') as [ReadableSpan]
  const [sent] = named(`send ${toOrders}`) as [ReadableSpan]
  const tries = named(`process ${toOrders}`)
  const sentMails = named(`send ${toMails}`)
  const [batch] = named(`process ${toMails}`) as [ReadableSpan]
  const below = (child: ReadableSpan | undefined, parent: ReadableSpan): void => {
    assert.equal(child?.spanContext().traceId, parent.spanContext().traceId)
    assert.equal(child.parentSpanContext?.spanId, parent.spanContext().spanId)
  }
  below(sent, first)
  assert.equal(tries.length, 2)
  for (const one of tries) below(one, sent)
  const afterRetry = sentMails.find(
    (one) => one.parentSpanContext?.spanId !== later.spanContext().spanId,
  )
  below(afterRetry, tries[1] as ReadableSpan)
  const enqueued = sentMails.find((one) => one !== afterRetry)
  below(enqueued, later)

  assert.equal(batch.parentSpanContext, undefined, 'several traces have no common span')
  assert.deepEqual(
    batch.links.map((link) => link.context.spanId).toSorted(),
    sentMails.map((one) => one.spanContext().spanId).toSorted(),
  )

  assert.equal(sent.kind, SpanKind.PRODUCER)
  assert.deepEqual(sent.attributes, {
    'messaging.system': 'kafka',
    'messaging.client.id': 'scenario',
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.destination.name': toOrders,
    'messaging.destination.partition.id': '0',
    'messaging.kafka.offset': 0,
  })
  const [failed, done] = tries as [ReadableSpan, ReadableSpan]
  assert.equal(failed.kind, SpanKind.CONSUMER)
  assert.deepEqual(failed.attributes, {
    'messaging.system': 'kafka',
    'messaging.client.id': 'scenario',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': toOrders,
    'messaging.destination.partition.id': '0',
    'messaging.kafka.offset': 0,
    'messaging.consumer.group.name': scene.group('taking'),
    'messaging.message.body.size': 1,
    'millrace.consumer': 'taking',
    'millrace.attempt': 1,
    'error.type': 'TypeError',
  })
  assert.equal(failed.status.code, SpanStatusCode.ERROR)
  assert.equal(failed.events[0]?.attributes?.['exception.message'], 'no mailbox')
  assert.equal(done.status.code, SpanStatusCode.UNSET)
  assert.equal(done.attributes['millrace.attempt'], 2)
  assert.equal(batch.attributes['messaging.batch.message_count'], 2)

  using database = new DatabaseSync(':memory:')
  const outbox = sqlOutbox(database, { topics: [refunds] })
  await outbox.createTables()
  await request('POST /refunds', () =>
    transaction(database, (tx) => outbox.send(tx, refunds, { value: 3 })),
  )
  {
    await using _relay = await startRelay(outbox.relay({ poll: '20ms' }), config)
    await scene.until('the refund was handled', () => {
      return named(`process ${scene.topic('refunds')}`).length === 1
    })
  }
  below(named(`process ${scene.topic('refunds')}`)[0], named('POST /refunds')[0] as ReadableSpan)

  const { records } = await scene.log('orders')
  const header = records[0]?.headers.find(([name]) => name === 'traceparent')?.[1]?.toString()
  const { traceId, spanId } = sent.spanContext()
  assert.equal(header, `00-${traceId}-${spanId}-01`)
})
