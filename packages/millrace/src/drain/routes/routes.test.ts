import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { manualClock } from '../../kit/index.ts'
import { mergeInto, type Fields } from './fold.ts'
import { bucketOf, bucketValue, quantileOf, relativeError } from './log-buckets.ts'
import { pathOf, routeReader } from './route-of.ts'
import { summariseAll } from './route-report.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { contractStartMs, foldAll, lineOf, routeStoreContract } from './store.contract.ts'

routeStoreContract('sqlite in memory', (limits = {}) =>
  Promise.resolve(openSqliteStore({ limits, clock: manualClock(contractStartMs) })),
)

describe('log buckets', () => {
  it('estimates every value within 1 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_600_000 }), (ms) => {
        assert.ok(Math.abs(bucketValue(bucketOf(ms)) - ms) <= ms * relativeError * 1.000001)
      }),
    )
    assert.ok(bucketOf(3_600_000) - bucketOf(1) < 770)
  })

  it('gives the percentiles of exact sorting within 1 %', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, quantile) => {
          const buckets = new Map<number, number>()
          let zeros = 0
          for (const value of values) {
            if (value === 0) zeros++
            else buckets.set(bucketOf(value), (buckets.get(bucketOf(value)) ?? 0) + 1)
          }
          const estimate = quantileOf(
            {
              count: values.length,
              sum: 0,
              min: Math.min(...values),
              max: Math.max(...values),
              zeros,
              buckets,
            },
            quantile,
          )
          const sorted = values.toSorted((left, right) => left - right)
          const exact = sorted[Math.floor(quantile * (values.length - 1))] ?? 0
          assert.ok(estimate !== null && Math.abs(estimate - exact) <= exact * 0.010001)
        },
      ),
    )
  })
})

/** All cells of several batches, added up. */
const merge = (parts: readonly (readonly ReturnType<typeof lineOf>[])[]): unknown => {
  const cells = new Map<string, Fields>()
  for (const part of parts) {
    for (const { route, minute, fields } of foldAll(part).cells) {
      const key = `${route} ${minute}`
      const into: Fields = cells.get(key) ?? new Map()
      mergeInto(into, fields)
      cells.set(key, into)
    }
  }
  return Object.fromEntries(Array.from(cells, ([key, fields]) => [key, Object.fromEntries(fields)]))
}

describe('fold', () => {
  it('gives the same however the lines are cut into batches', () => {
    const line = fc.record({
      path: fc.constantFrom('/a', '/b/1', '/b/2'),
      serviceMs: fc.option(fc.nat(5000)),
      status: fc.option(fc.constantFrom(101, 200, 404, 503)),
    })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.nat(40), (lines, at) => {
        const counted = lines.map((one) => lineOf(one))
        assert.deepEqual(merge([counted.slice(0, at), counted.slice(at)]), merge([counted]))
      }),
    )
  })

  it('skips what is no complete line, and says how many', () => {
    const { lines, skipped, cells } = foldAllWithHoles()
    assert.deepEqual(
      [lines, skipped, summariseAll(cells.filter(({ minute }) => minute < 0)).n],
      [1, 2, 1],
    )
  })

  it('keeps the view of 2016 by raw path, without empty timings', () => {
    const { view } = foldAll([
      lineOf({ path: '/x?a=1', connectMs: 4, serviceMs: 200 }),
      lineOf({ path: '/x?a=1', connectMs: 8, serviceMs: 300 }),
      lineOf({ path: '/x?a=2', connectMs: null, serviceMs: null, status: 503 }),
    ])
    assert.deepEqual(view.get('/x?a=1'), {
      connect: { count: 2, sum: 12 },
      service: { count: 2, sum: 500 },
      statuses: new Map([['200', 2]]),
    })
    assert.equal(view.get('/x?a=2')?.service.count, 0)
  })
})

function foldAllWithHoles(): ReturnType<typeof foldAll> {
  return foldAll([undefined, lineOf(), undefined] as unknown as Parameters<typeof foldAll>[0])
}

describe('routes', () => {
  it('gives one name to paths that the same code answers', () => {
    const routeOf = routeReader()
    for (const [path, route] of [
      ['/', '/'],
      ['/users/42?x=1', '/users/:id'],
      ['/users/5e1e5a0b-4b9f-4c5c-9d8a-0b0d8f1a2b3c/orders/7', '/users/:id/orders/:id'],
      ['/o/507f1f77bcf86cd799439011', '/o/:id'],
      ['/h/0123456789abcdef', '/h/:id'],
      ['/reset/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9abc123', '/reset/:token'],
      ['/assets/application-0a1b2c3d4e5f6a7b8c9d.js', '/assets/application-:hash.js'],
      ['/assets/app.0a1b2c3d.css.map', '/assets/app-:hash.css.map'],
      [
        '/presentations/logstash-monitorama-2013/images/kibana-search.png',
        '/presentations/logstash-monitorama-2013/images/kibana-search.png',
      ],
      ['/blog/tags/puppet?flav=rss20', '/blog/tags/puppet'],
      ['/a//b/', '/a//b/'],
      ['/x#top', '/x'],
      ['*', '*'],
    ] as const) {
      assert.equal(routeOf(path), route)
    }
  })

  it('takes the first pattern that matches', () => {
    const routeOf = routeReader(['/users/me', '/users/:name', '/files/*'])
    assert.deepEqual(
      ['/users/me', '/users/anna?x', '/users/', '/files/a/b/c', '/users/a/b'].map((path) =>
        routeOf(path),
      ),
      ['/users/me', '/users/:name', '/users/', '/files/*', '/users/a/b'],
    )
    assert.equal(pathOf('/a?b?c'), '/a')
  })

  it('bounds what a hostile path can make of a name', () => {
    assert.ok(routeReader()('/a'.repeat(5000)).length < 100)
  })
})
