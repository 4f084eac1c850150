import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Consumer, defineApp, defineConsumer, defineTopic } from '../../app/index.ts'
import { consoleScope } from './scope.ts'

const events = defineTopic('user-events.v1')
const plain = defineTopic('2fast')

class PriceDropsConsumer extends Consumer<typeof events> {
  consume(): void {}
}

describe('what is in scope in the console', () => {
  it('are exports, classes and topics by their names, and the tools before them', () => {
    const drops = defineConsumer({ topic: events, use: PriceDropsConsumer })
    const config = { app: defineApp({ consumers: [drops] }) }
    const tools = { config, producer: 'p', send: 's', startWorker: 'w' }
    const scope = consoleScope({ default: 1, send: 'mine', helper: 2 }, [events, plain], tools)
    assert.equal(scope.get('send'), 's', 'a tool wins')
    assert.equal(scope.get('helper'), 2)
    assert.equal(scope.has('default'), false)
    assert.equal(scope.get('PriceDropsConsumer'), PriceDropsConsumer)
    assert.equal(scope.get('priceDropsConsumer'), drops)
    assert.equal(scope.get('userEventsV1'), events)
    assert.equal(scope.has('2fast'), false, 'no identifier')
    assert.deepEqual(Object.keys(scope.get('topics') as object).toSorted(), [
      '2fast',
      'user-events.v1',
    ])
  })
})
