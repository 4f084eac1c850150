import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { resolveConfig, type ResolvedConfig } from '../config/resolve-config.ts'
import { defineApp, defineConsumer, defineTopic } from '../index.ts'

const trail = defineTopic('trail', { cluster: 'audit' })

function faultsOf(config: object, env: Record<string, string> = {}): readonly string[] {
  try {
    resolveConfig(config, { env })
    return []
  } catch (error) {
    if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
    return error.context['faults'] as readonly string[]
  }
}

const addresses = ({ clusters }: ResolvedConfig): object =>
  Object.fromEntries(clusters.map(({ name, brokers }) => [name, brokers]))

describe('several clusters', () => {
  it('are named by topics; what names none is on main', () => {
    const resolved = resolveConfig(
      {
        brokers: 'kafka://a:9092',
        clusters: { audit: { brokers: 'b:9092, c:9092' } },
        topicName: (name) => `x.${name}`,
        app: defineApp({ topics: [trail] }),
      },
      { env: {} },
    )
    assert.deepEqual(addresses(resolved), { main: ['a:9092'], audit: ['b:9092', 'c:9092'] })
    assert.equal(resolved.clusterOf(trail), 'audit')
    assert.equal(resolved.clusterOf('trail'), 'audit')
    assert.equal(resolved.clusterOf('elsewhere'), 'main')
    assert.equal(resolved.clusterOfWire('x.trail'), 'audit')
  })

  it('take their addresses from the environment first', () => {
    const config = { clusters: { main: { brokers: 'a:1' }, 'far-away': { brokers: 'b:1' } } }
    assert.deepEqual(addresses(resolveConfig(config, { env: {} })), {
      main: ['a:1'],
      'far-away': ['b:1'],
    })
    const env = { KAFKA_URL: 'kafka://c:1', KAFKA_URL_FAR_AWAY: 'kafka://d:1' }
    assert.deepEqual(addresses(resolveConfig(config, { env })), {
      main: ['c:1'],
      'far-away': ['d:1'],
    })
  })

  it('may be told to be one', () => {
    const config = { brokers: 'a:1', clusters: { audit: { brokers: 'b:1' } } }
    const resolved = resolveConfig(config, { env: {}, isSingleCluster: true })
    assert.deepEqual(addresses(resolved), { main: ['a:1'], audit: ['a:1'] })
  })

  it('tell all their faults at once, each with its path', () => {
    const letters = defineTopic('letters', { cluster: 'audit' })
    assert.deepEqual(
      faultsOf({
        brokers: 'a:1',
        clusters: { main: { brokers: 'b:1' }, audit: { brokers: 'http://c' } },
        app: defineApp({
          topics: [defineTopic('lost', { cluster: 'audi' })],
          consumers: [
            defineConsumer({
              topic: defineTopic('here'),
              deadLetter: { topic: letters },
              each() {},
            }),
          ],
        }),
      }),
      [
        'clusters.main: brokers names the main cluster already; write it in one place',
        'clusters.audit.brokers[0]: http:// is none of kafka, kafka+ssl, plaintext, ssl; host:port alone will do',
        'topics.lost.cluster: there is no cluster audi; did you mean audit?',
        'consumers.here.deadLetter.topic: letters is on audit, but letters of here stay on main',
      ],
    )
    assert.deepEqual(faultsOf({ clusters: [] }), ['clusters: is not an object of clusters by name'])
    assert.deepEqual(faultsOf({ clusters: { '1': { tls: { cert: 'x' }, port: 1 }, b: null } }), [
      'clusters.1: begin with a letter and use only A-Z a-z 0-9 _ -',
      'clusters.1.brokers: is missing; write host:9092',
      'clusters.1.port: there is no such option; brokers and tls are',
      'clusters.b.brokers: is missing; write host:9092',
    ])
  })
})
