/** A loyalty service is added to a shop that runs: it gets every order ever made, then the new ones; nothing upstream changes. */
import assert from 'node:assert/strict'
import {
  defineConsumer,
  defineTopic,
  json,
  monitor,
} from '../../../packages/millrace/src/app/index.ts'
import { scenarioApp } from '../../harness/app.ts'
import { scenario } from '../../harness/scenario.ts'

const orders = defineTopic('orders', {
  value: json<{ readonly customer: string; readonly cents: number }>(),
})

await scenario({ topics: { orders: { partitions: 3 } } }, async (scene) => {
  let mailed = 0
  const mail = defineConsumer({
    name: 'mail',
    topic: orders,
    group: 'mail',
    each: () => void mailed++,
  })
  const points = new Map<string, number>()
  const loyalty = defineConsumer({
    name: 'loyalty',
    topic: orders,
    group: 'loyalty',
    start: 'earliest',
    each({ value }) {
      points.set(value.customer, (points.get(value.customer) ?? 0) + value.cents / 100)
    },
  })
  const shop = scenarioApp(scene, { consumers: [mail] })
  await using upstream = await shop.start()
  const order = (customer: string): Promise<unknown> =>
    upstream.producer.send(orders, { key: customer, value: { customer, cents: 1000 } })
  for (let count = 0; count < 30; count++) await order(`c${count % 3}`)
  await scene.until('the shop has mailed its orders', () => mailed === 30)

  let rebalances = 0
  const unsubscribe = monitor.subscribe('group.joined', ({ groupId }) => {
    if (groupId === scene.group('mail')) rebalances++
  })
  const added = scenarioApp(scene, { consumers: [loyalty] })
  await using _downstream = await added.start()
  const all = (): number => [...points.values()].reduce((sum, own) => sum + own, 0)
  await scene.until('loyalty has the history', () => all() === 300, { lastSeen: () => points })
  await order('c1')
  await scene.until('and the present', () => points.get('c1') === 110 && mailed === 31)
  assert.equal(rebalances, 0, 'upstream did not notice')
  unsubscribe()
})
