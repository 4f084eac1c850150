import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { foldLines, total, type CountedLine } from './fold.ts'
import { PartitionCounter, type PlacedLine } from './partition-counter.ts'
import { routeReader } from './route-of.ts'
import { summarise, summariseAll } from './route-report.ts'
import type { RouteLimits, RouteStore } from './store.ts'

const routeOf = routeReader()
export const contractStartMs = 1_800_000_000_000

export function lineOf(overrides: Partial<CountedLine> = {}): CountedLine {
  return {
    app: 'd.1',
    timeMs: contractStartMs,
    method: 'GET',
    path: '/users/42?x=1',
    code: null,
    protocol: 'https',
    connectMs: 4,
    serviceMs: 200,
    status: 200,
    bytes: 10,
    ...overrides,
  }
}

const placed = (from: number, ...lines: readonly CountedLine[]): readonly PlacedLine[] =>
  lines.map((line, index) => ({ offset: from + index, line }))

/** What every store of route metrics promises. `open` gives an empty one; the clock stands at `contractStartMs`. */
export function routeStoreContract(
  name: string,
  open: (limits?: Partial<RouteLimits>) => Promise<RouteStore>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`route store: ${name}`, { skip: options.skip ?? false }, () => {
    it('adds a batch and moves its position in one step', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'metrics/router/0', routeOf)
      assert.equal(counter.position, null)
      await counter.count(placed(7, lineOf(), lineOf({ serviceMs: 300, connectMs: 8 })), 0)
      assert.equal(await store.position('metrics/router/0'), 9)
      const [route] = summarise(await store.totals())
      assert.ok(route)
      assert.deepEqual(
        [route.route, route.n, route.statuses, route.methods, route.bytes],
        ['/users/:id', 2, { '200': 2 }, { GET: 2 }, 20],
      )
      assert.deepEqual(
        [route.service.sum, route.service.min, route.service.max, route.connect.average],
        [500, 200, 300, 6],
      )
    })

    it('counts a batch that comes again not at all, and one that overlaps from where it stands', async () => {
      await using store = await open()
      const first = await PartitionCounter.open(store, 'f', routeOf)
      const second = await PartitionCounter.open(store, 'f', routeOf)
      await first.count(placed(0, lineOf(), lineOf()), 0)
      assert.deepEqual(await second.count(placed(0, lineOf(), lineOf()), 0), {
        state: 'counted',
        lines: 0,
        from: 2,
        to: 2,
      })
      const third = await PartitionCounter.open(store, 'f', routeOf)
      await third.count(placed(1, lineOf(), lineOf(), lineOf()), 0)
      assert.equal(summariseAll(await store.totals()).n, 4)
      assert.equal(await store.position('f'), 4)
    })

    it('counts each line once with two owners at a time', async () => {
      await using store = await open()
      const owners = await Promise.all([0, 1].map(() => PartitionCounter.open(store, 'f', routeOf)))
      await Promise.all(
        owners.map(async (owner, index) => {
          for (let at = 0; at < 60; at += index + 2) {
            const lines = Array.from({ length: Math.min(index + 2, 60 - at) }, () => lineOf())
            const result = await owner.count(placed(at, ...lines), 0)
            assert.equal(result.state, 'counted')
          }
        }),
      )
      assert.equal(summariseAll(await store.totals()).n, 60)
    })

    it('keeps a beginning that was nailed down, and gaps do not matter', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      await counter.begin(100)
      assert.equal(await store.position('f'), 100)
      assert.equal((await counter.count(placed(105, lineOf()), 0)).state, 'counted')
      assert.equal(await store.position('f'), 106)
    })

    it('says where it stands when that lies before the messages', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      await counter.count(placed(0, lineOf()), 0)
      const ahead = await PartitionCounter.open(
        await Promise.resolve(asIfAt(store, 50)),
        'f',
        routeOf,
      )
      assert.deepEqual(await ahead.count(placed(50, lineOf()), 0), { state: 'behind', position: 1 })
      const emptied = await PartitionCounter.open(asIfAt(store, 50), 'g', routeOf)
      assert.deepEqual(await emptied.count(placed(50, lineOf()), 0), { state: 'emptied' })
      assert.equal(summariseAll(await store.totals()).n, 1)
    })

    it('keeps partitions apart', async () => {
      await using store = await open()
      for (const fence of ['metrics/router/0', 'metrics/router/1']) {
        const counter = await PartitionCounter.open(store, fence, routeOf)
        await counter.count(placed(0, lineOf()), 0)
      }
      assert.equal(summariseAll(await store.totals()).n, 2)
    })

    it('puts lines into the minutes of their events, whose sum is the total', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      const minute = Math.floor(contractStartMs / 60_000)
      const lines = [0, -60_000, -61_000, -120_000, 0].map((shift) =>
        lineOf({ timeMs: contractStartMs + shift }),
      )
      await counter.count(placed(0, ...lines), contractStartMs - 3_600_000)
      const cells = await store.minutes({ fromMinute: minute - 10, toMinute: minute + 1 })
      assert.equal(summariseAll(cells).n, 5)
      assert.deepEqual(summariseAll(cells).service, summariseAll(await store.totals()).service)
      const one = await store.minutes({
        fromMinute: minute,
        toMinute: minute + 1,
        route: '/users/:id',
      })
      assert.equal(summariseAll(one).n, 2)
      assert.deepEqual(
        await store.minutes({ fromMinute: minute - 10, toMinute: minute + 1, route: '/none' }),
        [],
      )
      assert.deepEqual(
        await store.minutes({ fromMinute: minute - 10, toMinute: minute + 1, app: 'none' }),
        [],
      )
    })

    it('leaves lines from before the series out of it, and counts them', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      await counter.count(placed(0, lineOf({ timeMs: 5 })), contractStartMs)
      assert.equal(summariseAll(await store.totals()).n, 1)
      assert.deepEqual(await store.minutes({ fromMinute: 0, toMinute: 1e9 }), [])
    })

    it('takes 101 and empty timings for what they are', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      await counter.count(
        placed(
          0,
          lineOf({ status: 101, serviceMs: 3_600_000 }),
          lineOf({ status: null, code: 'H24', connectMs: null, serviceMs: null, bytes: null }),
          lineOf({ serviceMs: 0, connectMs: 0 }),
        ),
        0,
      )
      const all = summariseAll(await store.totals())
      assert.deepEqual(all.statuses, { '101': 1, none: 1, '200': 1 })
      assert.deepEqual(
        [all.service.count, all.service.max, all.service.p99, all.codes],
        [1, 0, 0, { H24: 1 }],
      )
    })

    it('caps routes and paths of an app, and loses no line over it', async () => {
      await using store = await open({ routesPerApp: 2, pathsPerApp: 3 })
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      const paths = ['/a', '/b', '/c', '/d', '/a', '/e?x', '/b?y=1']
      await counter.count(placed(0, ...paths.map((path) => lineOf({ path }))), 0)
      await counter.count(placed(7, lineOf({ path: '/c' }), lineOf({ path: '/a' })), 0)
      const routes = new Map(summarise(await store.totals()).map(({ route, n }) => [route, n]))
      assert.deepEqual([routes.get('/a'), routes.get('/b'), routes.get(':other')], [3, 2, 4])
      const counts = await store.paths()
      assert.deepEqual(Object.fromEntries(counts), { '/a': 3, '/b': 2, '/c': 2, ':other': 2 })
      const minute = Math.floor(contractStartMs / 60_000)
      assert.equal(
        summariseAll(await store.minutes({ fromMinute: minute, toMinute: minute + 1 })).n,
        9,
      )
    })

    it('counts sums beyond 14 digits to the last one', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      const bytes = 900_000_000_000_001
      await counter.count(placed(0, lineOf({ bytes }), lineOf({ bytes })), 0)
      await counter.count(placed(2, lineOf({ bytes: 1 })), 0)
      assert.equal(summariseAll(await store.totals()).bytes, 1_800_000_000_000_003)
    })

    it('takes any text for path, method and app', async () => {
      await using store = await open()
      const counter = await PartitionCounter.open(store, 'f', routeOf)
      const odd = '/ü:"\'\u0000 %{}\n*'
      await counter.count(placed(0, lineOf({ path: odd, method: "X'; DROP", app: 'a:b c' })), 0)
      const [cell] = await store.totals()
      assert.equal(cell?.app, 'a:b c')
      assert.equal(cell.fields.get('method::other'), 1)
      assert.deepEqual([...(await store.paths())], [[odd, 1]])
    })
  })
}

/** The same store, whose position a consumer believes to be elsewhere. */
function asIfAt(store: RouteStore, position: number): RouteStore {
  return {
    position: () => Promise.resolve(position),
    apply: (fence, batch) => store.apply(fence, batch),
    totals: () => store.totals(),
    minutes: (query) => store.minutes(query),
    paths: () => store.paths(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** For tests that look at one fold without a store. */
export function foldAll(lines: readonly CountedLine[]): ReturnType<typeof foldLines> {
  return foldLines(lines, { routeOf, seriesFromMs: total })
}
