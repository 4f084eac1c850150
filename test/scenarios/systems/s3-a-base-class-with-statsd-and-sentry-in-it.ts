/**
 * `PriceDropsConsumer extends ApplicationConsumer` with `consume()` only: a timer `consumer.process` tagged with its
 * name, a counter of messages; a throw is one Sentry event with consumer, topic, partition, offset and attempt, and the
 * message is not acknowledged.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as Sentry from '@sentry/node'
import {
  ApplicationConsumer,
  defineConsumer,
  defineTopic,
  json,
  sentry,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

interface Envelope {
  readonly exception?: {
    readonly values: readonly { readonly type: string; readonly value: string }[]
  }
  readonly tags?: Readonly<Record<string, unknown>>
  readonly contexts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly breadcrumbs?: readonly { readonly message?: string }[]
  readonly transaction?: string
}

const drops = defineTopic('price-drops', { value: json<{ readonly cents: number }>() })
const failing = new Map([
  [1, 3],
  [2, Infinity],
])
let handled = 0
let hasThrown = false

class PriceDropsConsumer extends ApplicationConsumer<typeof drops> {
  consume(): void {
    const { offset } = this.message
    Sentry.addBreadcrumb({ message: `looked up ${offset}` })
    const left = failing.get(offset) ?? 0
    failing.set(offset, left - 1)
    hasThrown ||= offset === 2
    // Different texts: Sentry drops what equals the event before.
    if (left > 0) throw new RangeError(`no price for ${offset}, ${left} to go`)
    handled++
  }
}

await scenario({ topics: { 'price-drops': {} } }, async (scene) => {
  const received: Envelope[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      for (const line of text.split('\n'))
        if (line.includes('"exception"')) received.push(JSON.parse(line) as Envelope)
      response.end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  Sentry.init({ dsn: `http://key@127.0.0.1:${port}/1`, tracesSampleRate: 0 })

  const agent = createSocket('udp4')
  const lines: string[] = []
  agent.on('message', (packet) => lines.push(...packet.toString().split('\n')))
  agent.bind(0, '127.0.0.1')
  await once(agent, 'listening')
  scene.watch('sentry', () => received)
  scene.watch('statsd', () => lines)

  const { start, committed } = scenarioApp(
    scene,
    {
      consumers: [defineConsumer({ topic: drops, use: PriceDropsConsumer, backoff: '20ms' })],
      middleware: [sentry({ shouldReport: ({ offset }) => offset !== 2 })],
    },
    { metrics: { interval: '50ms' } },
  )
  const env = { DD_AGENT_HOST: '127.0.0.1', DD_DOGSTATSD_PORT: String(agent.address().port) }
  {
    await using worker = await start({ env })
    for (const cents of [1, 2, 3]) await worker.producer.send(drops, { value: { cents } })
    await scene.until('the second came through, and the third does not', () => {
      return handled === 2 && hasThrown
    })
    await Sentry.flush(5000)
    await scene.until('the counter was told', () =>
      lines.some((line) => line.startsWith('millrace.consumer.messages:')),
    )
  }
  assert.equal(await committed('price-drops', 'price-drops'), 2, 'what threw is not acknowledged')

  assert.equal(received.length, 3, 'one event a throw')
  for (const [at, event] of received.entries()) {
    assert.deepEqual(
      event.exception?.values.map(({ type, value }) => `${type}: ${value}`),
      [`RangeError: no price for 1, ${3 - at} to go`],
    )
    assert.partialDeepStrictEqual(event.tags, {
      consumer: 'PriceDropsConsumer',
      group: 'price-drops',
      topic: 'price-drops',
      partition: 0,
    })
    assert.partialDeepStrictEqual(event.contexts?.['millrace'], {
      consumer: 'PriceDropsConsumer',
      topic: 'price-drops',
      partition: 0,
      offset: 1,
      attempt: at + 1,
    })
    assert.deepEqual(
      event.breadcrumbs?.map(({ message }) => message),
      ['looked up 1'],
      'those of its own call',
    )
  }
  const tag = 'consumer:price-drops,topic:price-drops,partition:0'
  const told = (name: string, kind: string): boolean =>
    lines.some(
      (line) =>
        line.startsWith(`millrace.${name}:`) && line.includes(`|${kind}`) && line.endsWith(tag),
    )
  assert.ok(told('consumer.process', 'ms'))
  assert.ok(told('consumer.messages', 'c'))
  assert.ok(told('consumer.errors', 'c'))
  await Sentry.close(1000)
  agent.close()
  server.close()
  server.closeAllConnections()
})
