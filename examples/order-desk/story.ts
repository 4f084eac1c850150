/** Runs the whole desk on the embedded broker and tells what happens: `npm start`, no other service needed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { monitor } from 'millrace'
import { startBroker } from 'millrace/broker'

import { startCharging } from './charge.ts'
import { openDatabase, type Database } from './database.ts'
import { placeOrder } from './direct.ts'
import { startLoyalty } from './loyalty.ts'
import { startMailing, type MailServer } from './mail.ts'
import { openShop } from './shop.ts'

const say = (line: string): void => console.log(line)
const folder = await mkdtemp(join(tmpdir(), 'order-desk-'))

try {
  await tellDirect()
  await tellEvents()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function tellDirect(): Promise<void> {
  say('Act 1. Direct calls')
  const saved: string[] = []
  const charged: string[] = []
  const services = {
    save: async (orderId: string) => void saved.push(orderId),
    charge: async (orderId: string) => void charged.push(orderId),
    mail: () => Promise.reject(new Error('the mail server is down')),
  }
  const error = await placeOrder('A1', 1000, services).catch((thrown: Error) => thrown)
  assert.ok(error instanceof Error)
  say(`  order A1 failed: ${error.message}`)
  say(`  but it is saved (${saved.join()}) and charged (${charged.join()}): who repairs that?`)
}

async function tellEvents(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const database = async (service: string): Promise<Database> => {
    const opened = await openDatabase(service, folder)
    stack.defer(() => opened.close())
    return opened
  }
  const [shopDb, chargeDb, loyaltyDb] = [
    await database('shop'),
    await database('charge'),
    await database('loyalty'),
  ]
  let broker = await startBroker({ folder: join(folder, 'broker') })
  const brokers = [broker.address]
  stack.defer(() => broker.stop())
  say('')
  say(`Act 2. Events (${shopDb.name}, embedded broker)`)

  const mails = new Map<string, string>()
  const mailServer: MailServer = {
    send(id, to) {
      mails.set(id, to)
      return 'sent'
    },
  }
  let duplicates = 0
  stack.defer(monitor.subscribe('consumer.duplicate', () => void duplicates++))
  const shop = stack.use(await openShop(shopDb, brokers))
  let charging = await startCharging(chargeDb, brokers)
  let mailing = await startMailing(mailServer, brokers)

  let last = 0
  const order = async (customer: string, cents: number): Promise<number> => {
    const body = JSON.stringify({ orderId: `B${++last}`, customer, cents })
    return (await fetch(shop.url, { method: 'POST', body })).status
  }
  const count = async (of: Database, table: string): Promise<number> =>
    Number((await of.query(`select count(*) as n from ${table}`))[0]?.['n'])
  const charges = (): Promise<number> => count(chargeDb, 'charges')

  for (const customer of ['ann', 'ben', 'cleo']) assert.equal(await order(customer, 1000), 201)
  await until(
    'three orders are charged and mailed',
    async () => (await charges()) === 3 && mails.size === 3,
  )
  say('  3 orders: charged and mailed by two services that the shop does not know')

  assert.equal(await order('ann', -1), 422)
  say('  an order that the database refuses: 422, and no event of it')

  await mailing.stop()
  for (const customer of ['ann', 'ben']) assert.equal(await order(customer, 2000), 201)
  await until('they are charged', async () => (await charges()) === 5)
  assert.equal(mails.size, 3)
  say('  mail is down: 2 orders are taken and charged all the same')
  mailing = await startMailing(mailServer, brokers)
  await until('the mails are out', () => mails.size === 5)
  say('  mail is back: it finds both, nobody sent them again')

  const { port } = broker
  await broker.stop()
  for (const customer of ['cleo', 'ann']) assert.equal(await order(customer, 3000), 201)
  say('  the broker is down: 2 orders are taken, their events wait in the shop’s own database')
  broker = await startBroker({ folder: join(folder, 'broker'), port })
  await until('all is charged and mailed', async () => (await charges()) === 7 && mails.size === 7)
  say('  the broker is back: both are charged and mailed')

  // As kill -9 would: what it had done since its last commit comes again.
  await charging.kill()
  charging = await startCharging(chargeDb, brokers)
  assert.equal(await order('ben', 500), 201)
  await until('the new order is charged', async () => (await charges()) === 8 && mails.size === 8)
  say(`  charging crashed: ${duplicates} messages came again, and no card was charged twice`)

  say('')
  say('Act 3. A year later: loyalty, a new service')
  const loyalty = await startLoyalty(loyaltyDb, brokers)
  const points = async (): Promise<string> => {
    const rows = await loyaltyDb.query('select customer, points from points order by customer')
    return rows.map((row) => `${String(row['customer'])} ${String(row['points'])}`).join(', ')
  }
  await until('it has the history', async () => (await points()) === 'ann 60, ben 35, cleo 40')
  say(`  from the first order on: ${await points()} points; shop, charge and mail did not change`)
  assert.equal(await order('ann', 1000), 201)
  await until('it has the present', async () => (await points()).startsWith('ann 70'))
  await until('the others, too', async () => (await charges()) === 9 && mails.size === 9)
  say(`  and with the next one: ${await points()}`)

  for (const worker of [loyalty, mailing, charging]) await worker.stop()
  const table = `orders ${await count(shopDb, 'orders')}, charges ${await charges()}, mails ${mails.size}`
  assert.equal(table, 'orders 9, charges 9, mails 9')
  say('')
  say(`The end: ${table}. Each once.`)
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`it did not come about that ${what}`)
    await wait(20)
  }
}
