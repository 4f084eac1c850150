import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { isFailure } from '../../errors/index.ts'
import { defineApp, defineConsumer, defineTopic, resolveConfig, type AppOptions } from '../index.ts'

function faultsOf(app: AppOptions): unknown {
  try {
    resolveConfig({ app: defineApp(app) })
    return []
  } catch (error) {
    if (!isFailure(error, 'MR_CONFIG_INVALID')) throw error
    return error.context['faults']
  }
}

describe('names that nobody knows', () => {
  it('are found where the compiler does not look: in what was spread, and in JavaScript', () => {
    const common = { retriez: 3, maxMessages: 5, hooks: { asigned() {}, idle() {} } }
    const options = { tombstone: true, partitions: 1 }
    const topic = defineTopic('users', options)
    const consumer = defineConsumer({ topic, ...common, each() {} })
    const app = {
      consumers: [consumer],
      defaults: { maxMesages: 1, maxWait: '1s', middleware: [] },
      groups: { users: { backof: '1s', retries: Infinity } },
    }
    assert.deepEqual(faultsOf(app), [
      'app.defaults.maxMesages: there is no such setting; did you mean maxMessages?',
      'app.defaults.middleware: what is for all consumers is the middleware of the app',
      'groups.users.backof: there is no such setting; did you mean backoff?',
      'consumers.users.retriez: there is no such setting; did you mean retries?',
      'consumers.users.hooks.asigned: there is no such hook; did you mean assigned?',
      'topics.users.tombstone: there is no such option; did you mean tombstones?',
    ])
    assert.deepEqual(
      faultsOf({ consumers: [defineConsumer({ topic: defineTopic('t'), each() {} })] }),
      [],
    )
  })
})
