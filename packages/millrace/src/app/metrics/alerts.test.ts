import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { alertRules, namesIn } from './alerts.ts'
import { grafanaDashboard } from './dashboard.ts'
import { metricTable, prometheusName } from './table.ts'

const families = new Set(metricTable.map((row) => prometheusName(row)))

/** Metrics that a text names; a histogram's buckets count as the histogram. */
function namedIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bmillrace_[a-z_]+\b/g))].map((name) =>
    name.replace(/_bucket$/, ''),
  )
}

describe('alert rules', () => {
  it('name metrics of the table alone, each rule at least one', () => {
    for (const { alert, expr } of alertRules()) {
      const named = namedIn(expr)
      assert.ok(named.length > 0, alert)
      for (const name of named) assert.ok(families.has(name), `${alert}: ${name}`)
    }
  })

  it('have a name of their own, and say what to do', () => {
    const rules = alertRules()
    assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    for (const { annotations } of rules) assert.match(annotations.description, /[.?]$/)
  })

  it('take the prefix of the metrics', () => {
    assert.match(alertRules('shop')[0]?.expr ?? '', /shop_worker_running/)
    assert.throws(() => namesIn()('consumer.nothing'), /no metric consumer\.nothing/)
  })
})

describe('the dashboard', () => {
  const text = JSON.stringify(grafanaDashboard())

  it('names metrics of the table alone', () => {
    const named = namedIn(text)
    assert.ok(named.length > 12)
    for (const name of named) assert.ok(families.has(name), name)
  })

  it('asks timers for quantiles and counters for rates', () => {
    const { panels } = grafanaDashboard() as {
      readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[]
    }
    for (const { expr } of panels.flatMap(({ targets }) => targets)) {
      if (expr.includes('_seconds_bucket')) assert.match(expr, /^histogram_quantile/)
      if (expr.includes('_total')) assert.match(expr, /rate\(|increase\(/)
    }
  })
})
