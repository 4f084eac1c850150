/* oxlint-disable typescript/await-thenable -- the types are those of the built package, which need not be there */
import { defineApp, defineConfig, defineConsumer, defineTopic } from 'millrace'
import { driveConsumer, startTestApp, watchInvariants } from 'millrace/testing'
import { describe, expect, it } from 'vitest'

const orders = defineTopic('orders')
const invoices = defineTopic('invoices')

const billing = defineConsumer({
  topic: orders,
  group: 'billing',
  retries: 2,
  deadLetter: true,
  async each({ value }, { send }) {
    if (value.total < 0) throw new RangeError('a negative total')
    await send(invoices, { key: String(value.id), value: { order: value.id } })
  },
})

const config = defineConfig({
  clientId: 'shop',
  app: defineApp({ topics: [invoices], consumers: [billing] }),
})

describe.concurrent('the kit under Vitest', () => {
  it('drives a consumer, delivering twice', async () => {
    await using drive = driveConsumer(billing, { deliverTwice: true })
    await drive.deliver({ value: { id: 1, total: 20 } })
    expect(String(drive.sent[0].value)).toBe('{"order":1}')
    expect(drive.marked).toEqual([0])
  })

  it('gives up after two retries on a clock of its own', async () => {
    await using drive = driveConsumer(billing)
    await drive.deliver({ value: { id: 2, total: -1 } })
    await drive.advance('1s')
    await drive.advance('2s')
    expect(drive.deadLetters[0].topic).toBe('orders-dlt')
  })

  // Two apps of one configuration at a time: nothing of the kit is global.
  for (const order of [1, 2]) {
    it(`takes app ${order} through a crash, a rebalance and a lost answer`, async () => {
      await using app = await startTestApp(config)
      await using watch = watchInvariants(app)
      const send = (id) => app.send(orders, { value: { id, total: 20 } })
      await send(order)
      await app.settled()
      await app.crash()
      using lost = app.broker.fail('produce', { close: 'after', times: 1 })
      await send(order + 10)
      await app.rebalance()
      await send(order + 20)
      await app.settled()
      const found = (await app.messages(invoices)).map(({ value }) => value.order)
      expect(found).toEqual([order, order + 10, order + 20])
      expect(lost.hits).toBe(1)
      expect(watch.violations).toEqual([])
    })
  }
})
