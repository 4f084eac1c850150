import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { manualClock } from '../../kit/index.ts'
import { driveConsumer, type Delivery } from '../../testing/drive-consumer.ts'
import { headerNames, readLine } from '../record.ts'
import { routeMetrics } from './route-metrics.ts'
import { summariseAll } from './route-report.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { RouteStore } from './store.ts'

const startMs = 1_800_000_000_000

function logged(path = '/a', status = 200): Delivery {
  const frame = `<158>1 ${new Date(startMs).toISOString()} host heroku router - at=info method=GET path="${path}" host=h request_id=r fwd="203.0.113.9" dyno=web.1 connect=1ms service=2ms status=${status} bytes=3`
  const { value } = readLine(Buffer.from(frame), 'absent', startMs * 1000)
  return {
    raw: { value: Buffer.from(value) },
    timestamp: startMs,
    headers: { [headerNames.drainToken]: 'd.1' },
  }
}

const clock = manualClock(startMs)
const metrics = (store: RouteStore, maxMessages = 3) =>
  routeMetrics({ store, clock, start: 'earliest', maxMessages })
const counted = async (store: RouteStore): Promise<number> => summariseAll(await store.totals()).n

describe('route metrics', () => {
  it('counts complete router lines of a topic, and passes over everything else', async () => {
    await using store = openSqliteStore({ clock })
    await using drive = driveConsumer(metrics(store), { clock })
    await drive.deliver(
      logged(),
      { raw: { value: Buffer.from('no json') } },
      { value: { fields: { x: 1 } } },
      logged('/b', 404),
      { value: null, raw: { value: null } },
      logged(),
    )
    const all = summariseAll(await store.totals())
    assert.deepEqual([all.n, all.statuses], [3, { '200': 2, '404': 1 }])
    assert.equal(await store.position('metrics/router/0'), 6)
    const [cell] = await store.totals()
    assert.equal(cell?.app, 'd.1')
  })

  it('counts each line once over crashes between counting and committing', async () => {
    await using store = openSqliteStore({ clock })
    await using drive = driveConsumer(metrics(store), { clock })
    for (let round = 1; round <= 5; round++) {
      await drive.deliver(...Array.from({ length: 7 }, () => logged()))
      drive.crash()
      await drive.settle()
      assert.equal(await counted(store), round * 7)
    }
  })

  it('counts from the start of the topic when the store was emptied', async () => {
    let store = openSqliteStore({ clock })
    {
      await using drive = driveConsumer(metrics(store), { clock })
      await drive.deliver(...Array.from({ length: 7 }, () => logged()))
      await drive.revoke()
      assert.equal(await counted(store), 7)
    }
    await store[Symbol.asyncDispose]()
    store = openSqliteStore({ clock })
    await using held = store
    const emptied: RouteStore = {
      position: (fence) => held.position(fence),
      apply: (fence, batch) => held.apply(fence, batch),
      totals: () => held.totals(),
      minutes: (query) => held.minutes(query),
      paths: () => held.paths(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using drive = driveConsumer(metrics(emptied), { clock })
    await drive.deliver(...Array.from({ length: 4 }, () => logged()))
    assert.equal(await counted(held), 4)
  })

  it('counts everything once the store answers, when it was away as the partition came', async () => {
    await using held = openSqliteStore({ clock })
    let isAway = false
    const store: RouteStore = {
      position: (fence) => (isAway ? Promise.reject(new Error('no answer')) : held.position(fence)),
      apply: (fence, batch) => held.apply(fence, batch),
      totals: () => held.totals(),
      minutes: (query) => held.minutes(query),
      paths: () => held.paths(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using drive = driveConsumer(metrics(store), { clock })
    await drive.deliver(logged(), logged())
    isAway = true
    drive.crash()
    await drive.deliver(logged())
    assert.equal(drive.state().kind, 'blocked')
    isAway = false
    drive.owner().resume()
    await drive.settle()
    assert.equal(await counted(held), 3)
    assert.equal(await held.position('metrics/router/0'), 3)
  })

  it('goes back when the store was restored from an older copy', async () => {
    await using old = openSqliteStore({ clock })
    let store: RouteStore = old
    const switching: RouteStore = {
      position: (fence) => store.position(fence),
      apply: (fence, batch) => store.apply(fence, batch),
      totals: () => store.totals(),
      minutes: (query) => store.minutes(query),
      paths: () => store.paths(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using drive = driveConsumer(metrics(switching), { clock })
    await drive.deliver(...Array.from({ length: 6 }, () => logged()))
    await using restored = openSqliteStore({ clock })
    await restored.apply('metrics/router/0', {
      cells: [],
      paths: new Map(),
      view: new Map(),
      lines: 0,
      skipped: 0,
      from: null,
      to: 2,
    })
    store = restored
    await drive.deliver(logged())
    assert.equal(await restored.position('metrics/router/0'), 7)
    assert.equal(await counted(restored), 5)
  })
})
