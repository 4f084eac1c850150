/**
 * A web application enqueues its events: its order endpoint answers as fast with the brokers away as before, and when they
 * are back all events arrive, in order. The naive way, awaiting the send in the request, answers nobody meanwhile.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  currentProducer,
  defineTopic,
  json,
  openProducer,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { brokersAway } from '../../harness/brokers-away.ts'
import { scenario } from '../../harness/scenario.ts'

interface Order {
  readonly id: number
  readonly customer: string
}
const orders = defineTopic('orders', { value: json<Order>() })
const requests = 300

await scenario({ topics: { orders: { partitions: 3 } } }, async (scene) => {
  const away = brokersAway()
  const { config } = scenarioApp(
    scene,
    { topics: [orders] },
    { producer: { deliveryInterval: '20ms' } },
  )
  await using producer = openProducer(config, { dial: away.dial })
  await producer.send(orders, { key: 'c0', value: { id: -1, customer: 'c0' } })

  const server = createServer((request, response) => {
    const id = Number(new URL(request.url ?? '/', 'http://shop').searchParams.get('id'))
    const customer = `c${id % 5}`
    const event = { key: customer, value: { id, customer } }
    if (request.url?.startsWith('/naive') === true) {
      void currentProducer()
        .send(orders, event)
        .then(() => response.end('taken'))
      return
    }
    currentProducer().enqueue(orders, event)
    response.end('taken')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let next = 0
  const order = async (path: string): Promise<number> => {
    const startedMs = performance.now()
    const answer = await fetch(`${url}${path}?id=${next++}`)
    assert.equal(await answer.text(), 'taken')
    return performance.now() - startedMs
  }
  const median = async (): Promise<number> => {
    const times: number[] = []
    for (let round = 0; round < requests; round++) times.push(await order('/order'))
    return times.toSorted((left, right) => left - right)[Math.floor(requests / 2)] ?? 0
  }
  await median() // warm
  const before = await median()
  away.goAway()
  let isNaiveAnswered = false
  const naive = order('/naive').then(() => (isNaiveAnswered = true))
  const during = await median()
  scene.watch('median before and during, ms', () => [before, during])
  assert.ok(
    during <= before * 3 + 5,
    `the median was ${before} ms, and ${during} ms with the brokers away`,
  )
  assert.equal(isNaiveAnswered, false, 'whoever awaits the send waits for the brokers')
  assert.ok(producer.queued >= requests, `${producer.queued} wait`)

  away.comeBack()
  await naive
  await producer.flush({ timeout: '20s' })
  server.closeAllConnections()
  server.close()

  const naiveId = requests * 2
  const seen = new Map<string, number[]>()
  for (const partition of [0, 1, 2])
    for (const { value } of (await scene.log('orders', partition)).records) {
      const { id, customer } = JSON.parse(String(value)) as Order
      // send and enqueue keep no order between each other.
      if (id >= 0 && id !== naiveId) seen.set(customer, [...(seen.get(customer) ?? []), id])
    }
  for (const [customer, ids] of seen)
    assert.deepEqual(
      ids,
      Array.from({ length: requests * 3 + 1 }, (_, id) => id).filter(
        (id) => `c${id % 5}` === customer && id !== naiveId,
      ),
    )
  assert.equal(seen.size, 5)
})
